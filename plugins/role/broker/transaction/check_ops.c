/* SPDX-License-Identifier: Apache-2.0 */
/* Op messages: which half messages are settled. Their body lists half offsets with commas, as
 * RocketMQ writes since 4.9.4; before that it was a single one. */
#include <errno.h>

#include "message/properties.h"
#include "transaction/check_private.h"

enum { LISTED_AT_ONCE = 256 };

static bool is_removal(const struct message_record *record)
{
	return str_is(rewrite_property(record, MESSAGE_TAGS), "d");
}

/* Fills in what the body lists, up to LISTED_AT_ONCE; rest is what follows. */
static uint32_t list(struct gantry_str *rest, int64_t ret[LISTED_AT_ONCE])
{
	struct gantry_str text;
	uint32_t count = 0;

	while (count < LISTED_AT_ONCE && message_list_next(rest, &text))
		if (str_int64(text, &ret[count]) == 0)
			count++;
	return count;
}

static int take_op(struct check *check, const struct message_record *record)
{
	struct gantry_str rest = record->body;
	int64_t halves[LISTED_AT_ONCE];
	uint32_t count;
	int status;

	if (!is_removal(record)) {
		gantry_log_limited(check->transactions->broker->inst, &check->limit, WARNING,
				   "op message %lld is of a kind that is not known",
				   (long long)check->ops.at);
		rest.size = 0;
	}
	status = settled_open_op(&check->settled, check->ops.at);
	while (!status && (count = list(&rest, halves)))
		status = settled_add(&check->settled, halves, count);
	check->last_op_ms = record->born_ms;
	check->ops_full |= status != 0;
	return status;
}

/* One op message. -ENOENT: there is none. */
static int read_op(struct check *check)
{
	struct broker *broker = check->transactions->broker;
	struct walk_message message;
	struct queue_unit unit;
	int status = walk_entry(&check->ops, &unit, check_op(check));

	if (status)
		return status;
	status = walk_read(broker->store, (uint64_t)unit.physical_offset, &message, &check->op);
	if (status > 0)
		return status;
	if (status) {
		gantry_log_limited(broker->inst, &check->limit, WARNING,
				   "op message %lld is gone or cannot be read, and is passed over",
				   (long long)check->ops.at);
	} else {
		status = take_op(check, &message.record);
		walk_release(&message);
		if (status)
			return status;
	}
	walk_next(&check->ops);
	return 0;
}

int check_read_ops(struct check *check)
{
	int status = 0;

	for (int i = 0; !status && i < CHECK_OPS; i++)
		status = read_op(check);
	check->ops_ended = status < 0;
	return status > 0 ? status : 0;
}
