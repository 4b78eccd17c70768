/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a producer's batch. */
#include "message/batch.h"

#include <errno.h>

#include "message/bytes.h"

enum { ITEM_HEAD = 20, ITEM_MIN = ITEM_HEAD + 2 };

int message_batch_next(struct gantry_str *rest, struct message_batch_item *ret)
{
	const uint8_t *at = (const uint8_t *)rest->at;
	size_t left = rest->size;
	uint32_t total, body;
	uint16_t properties;

	if (!left)
		return 0;
	if (left < ITEM_MIN)
		return -EBADMSG;
	total = message_get32(at);
	body = message_get32(at + 16);
	if (total < ITEM_MIN || total > left || body > total - ITEM_MIN)
		return -EBADMSG;
	properties = message_get16(at + ITEM_HEAD + body);
	if (properties > INT16_MAX || total != ITEM_MIN + body + properties)
		return -EBADMSG;
	ret->flag = (int32_t)message_get32(at + 12);
	ret->body = (struct gantry_str){rest->at + ITEM_HEAD, body};
	ret->properties = (struct gantry_str){rest->at + ITEM_MIN + body, properties};
	rest->at += total;
	rest->size -= total;
	return 1;
}
