/* SPDX-License-Identifier: Apache-2.0 */
/* A batch as a producer sends it in one body: for each message int32 size, magic 0, crc 0, flag,
 * body length, body, int16 properties length, properties. */
#ifndef MESSAGE_BATCH_H
#define MESSAGE_BATCH_H

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct message_batch_item {
	struct gantry_str body, properties; /* borrowed from the batch */
	int32_t flag;
};

/* Takes the next item off rest: 1 there is one, 0 the end, -EBADMSG its sizes do not add up. */
int message_batch_next(struct gantry_str *rest, struct message_batch_item *ret);

#ifdef __cplusplus
}
#endif
#endif
