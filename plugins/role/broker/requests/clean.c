/* SPDX-License-Identifier: Apache-2.0 */
/* An administrator has queues removed that are of no use any more. */
#include "requests/call.h"
#include "requests/report.h"
#include "store/delete.h"
#include "topics/topics.h"

/* Queues lose what has expired as soon as the log does; nothing is left to do. */
static int clean_expired_queues(struct broker *broker, struct gantry_call *call,
				struct gantry_op *op)
{
	(void)broker, (void)op;
	return call_ok(call);
}

static bool is_light(struct gantry_str topic)
{
	return str_starts(topic, "%LMQ%");
}

/* Meanwhile no topic of that name can be made: its messages would be lost. */
static int delete_if_unused(struct gantry_str name, void *user)
{
	struct broker *broker = user;

	if (is_light(name) || topics_is_system(broker->topics, name) ||
	    !topics_reserve(broker->topics, name))
		return 0;
	gantry_log(broker->inst, NOTICE, "the queues of %.*s are removed: no such topic",
		   STR_ARGS(name));
	/* what is left behind is in the log, and is no error of the call */
	store_delete_topic(broker->store, name);
	topics_release(broker->topics);
	return 0;
}

static int clean(struct report *report, struct json_writer *writer)
{
	int err = store_delete_unused(report->broker->store, delete_if_unused, report->broker);

	(void)writer;
	return err ? err : report_fail(report, GANTRY_SUCCESS, "%s", "");
}

static int clean_unused_topics(struct broker *broker, struct gantry_call *call,
			       struct gantry_op *op)
{
	struct report ask = {.broker = broker};

	return report_run(&ask, call, op, clean);
}

const struct call_row clean_calls[] = {
	{306, "CLEAN_EXPIRED_CONSUMEQUEUE", clean_expired_queues},
	{316, "CLEAN_UNUSED_TOPIC", clean_unused_topics},
	{0, NULL, NULL},
};
