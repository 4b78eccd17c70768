/* SPDX-License-Identifier: Apache-2.0 */
#include "transaction/rewrite.h"

#include <errno.h>

#include "message/checksum.h"
#include "message/properties.h"

struct gantry_str rewrite_property(const struct message_record *record, const char *name)
{
	return message_property_find(record->properties, str_of(name));
}

/* What stands in a record beside what the producer said is made anew. */
static bool is_own(struct gantry_str key)
{
	return str_is(key, MESSAGE_CHECKSUM) || str_is(key, MESSAGE_MULTI_OFFSETS);
}

static bool is_left_out(const char *const *without, struct gantry_str key)
{
	for (; *without; without++)
		if (str_is(key, *without))
			return true;
	return is_own(key);
}

int rewrite_message(const struct message_record *record, const char *const *without,
		    struct gantry_str added, struct message_draft *ret)
{
	struct message_pieces pieces = {.at = ret->properties, .max = MESSAGE_PARTS};
	struct gantry_str rest = record->properties;
	struct message_property property;
	int status = 0;

	*ret = (struct message_draft){
		.topic = record->topic,
		.queue = record->queue,
		.body = record->body,
		.flag = record->flag,
		.sys_flag = record->sys_flag,
		.reconsume_times = record->reconsume_times,
		.born_ms = record->born_ms,
		.born_host = record->born_host,
	};
	while (!status && message_property_next(&rest, &property))
		if (!is_left_out(without, property.key))
			status = message_pieces_add(&pieces, property.pair);
	if (!status && added.size)
		status = message_pieces_add(&pieces, added);
	if (status)
		return -EMSGSIZE;
	ret->part_count = pieces.count;
	return 0;
}
