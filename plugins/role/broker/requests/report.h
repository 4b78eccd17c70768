/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that look at many queues: made on a worker, so that no loop waits for a disk. */
#ifndef REPORT_H
#define REPORT_H

#include "requests/call.h"
#include "json/json.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct reports;

struct report { /* what a handler asked for; the texts are the report's own copies */
	struct broker *broker;
	struct gantry_str topic, group, topics; /* at NULL: not given */
	bool ordered;
	int32_t queue;
	int64_t at, count;
	/* out */
	bool failed; /* the answer is code and remark, without a body */
	int32_t code;
	char remark[GANTRY_REMARK_MAX];
};

/* Writes one JSON value. 0, or a negative errno. On a worker; may block. */
typedef int report_make(struct report *report, struct json_writer *writer);

enum {
	REPORTS_RUNNING = 2,   /* at a time: workers are for those, too, who read and write */
	REPORTS_WAITING = 256, /* beyond that a call is answered SYSTEM_BUSY */
};

/* Who makes answers, and who waits. Control thread; free when no call is under way; NULL is fine.
 */
int reports_new(struct reports **ret);
void reports_free(struct reports *reports);

/* Answers the call with what make writes. From a handler, whose value it returns. */
int report_run(const struct report *ask, struct gantry_call *call, struct gantry_op *op,
	       report_make *make);
/* Instead of a body: the code and why. Returns 0. */
int report_fail(struct report *report, int32_t code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* RocketMQ's MessageQueue, as a value or, where a key is due, as fastjson's bare object key. */
void report_write_queue(const struct report *report, struct json_writer *writer,
			const struct topic *topic, int32_t id);
/* What the queue has to read, and the next offset. */
void report_bounds(const struct report *report, struct topic *topic, int32_t id, int64_t *ret_min,
		   int64_t *ret_max);
/* When the message there was stored; -1: there is none. */
int64_t report_store_ms(const struct report *report, struct topic *topic, int32_t id, int64_t at);

#ifdef __cplusplus
}
#endif
#endif
