/* SPDX-License-Identifier: Apache-2.0 */
/* RESUME_CHECK_HALF_MESSAGE: a half message, or one that was given up, is asked for from the
 * beginning, as an administrator wishes. Like AdminBrokerProcessor of 5.5.0, which however puts
 * any message there, also one that is no half message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests/call.h"
#include "message/id.h"
#include "message/properties.h"
#include "transaction/private.h"
#include "transaction/rewrite.h"
#include "store/walk.h"

struct resume {
	struct broker *broker;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	uint64_t at;
	struct walk_message half;
	struct put_one put;
};

static void answer(struct resume *resume, int status)
{
	if (!status)
		call_ok(resume->call);
	else if (status == -ENOENT)
		call_fail(resume->call, GANTRY_SYSTEM_ERROR,
			  "Exception was thrown when putting message back to "
			  "RMQ_SYS_TRANS_HALF_TOPIC.");
	else
		call_fail(resume->call, GANTRY_SYSTEM_ERROR,
			  "Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed.");
}

static void free_resume(struct resume *resume)
{
	walk_release(&resume->half);
	free(resume);
}

static void finish(struct resume *resume, int status)
{
	struct gantry_op *outer = resume->outer;

	answer(resume, status);
	free_resume(resume);
	gantry_op_finish(outer, 0, 0);
}

static void put_back(struct gantry_op *op)
{
	finish(op->user, op->status);
}

static int put(struct resume *resume)
{
	static const char *const without[] = {TRANSACTION_CHECK_TIMES, NULL};
	static const char never[] = TRANSACTION_CHECK_TIMES "\0010\002";
	const struct message_record *record = &resume->half.record;
	struct message_draft *draft = &resume->put.message.draft;

	if (!rewrite_property(record, TRANSACTION_REAL_TOPIC).size ||
	    !rewrite_property(record, TRANSACTION_PRODUCER_GROUP).size)
		return -ENOENT;
	if (rewrite_message(record, without, str_of(never), draft))
		return -EMSGSIZE;
	draft->topic = str_of(TRANSACTION_HALF_TOPIC);
	draft->queue = 0;
	resume->put.put.no_wait = true;
	resume->op =
		(struct gantry_op){.done = put_back, .loop = resume->outer->loop, .user = resume};
	return put_one(resume->broker, &resume->put, &resume->op);
}

static void read_again(struct gantry_op *op);

static int read_half(struct resume *resume)
{
	int status;

	resume->op =
		(struct gantry_op){.done = read_again, .loop = resume->outer->loop, .user = resume};
	status = walk_read(resume->broker->store, resume->at, &resume->half, &resume->op);
	return status ? status : put(resume);
}

static void read_again(struct gantry_op *op)
{
	struct resume *resume = op->user;
	int status = op->status ? -ENOENT : read_half(resume);

	if (status <= 0)
		finish(resume, status);
}

static int resume_check(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct resume *resume = calloc(1, sizeof(*resume));
	struct gantry_str id = call_text(call, "msgId");
	struct gantry_address host;
	int status = -ENOENT;

	if (!resume)
		return call_no_memory(call);
	*resume = (struct resume){.broker = broker, .call = call, .outer = op};
	if (broker_is_slave(broker))
		status = -EROFS;
	else if (id.at && message_offset_id_read(id, &host, &resume->at) == 0)
		status = read_half(resume);
	if (status > 0) {
		gantry_op_take(op, NULL, NULL);
		return GANTRY_PENDING;
	}
	answer(resume, status);
	free_resume(resume);
	return 0;
}

const struct call_row transaction_resume_calls[] = {
	{323, "RESUME_CHECK_HALF_MESSAGE", resume_check},
	{0, NULL, NULL},
};
