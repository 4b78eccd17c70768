/* SPDX-License-Identifier: Apache-2.0 */
/* Making an answer on a worker. */
#include "requests/report.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

enum { BODY_MAX = 15 * 1024 * 1024 }; /* a client takes no larger frame than 16 MiB */

struct reports {
	pthread_mutex_t lock;
	/* guarded by lock */
	struct report_work *first, **end; /* those that wait, in order */
	uint32_t running, waiting;
};

struct report_work {
	struct report_work *next; /* of those that wait */
	struct report report;
	report_make *make;
	struct gantry_call *call;
	struct gantry_op *outer;
	struct gantry_op op;
	struct gantry_work work;
	int status;
	char *body;
	size_t size;
	char texts[]; /* the report's */
};

static int make_body(struct gantry_work *work)
{
	struct report_work *running = work->user;
	struct json_writer writer;
	int err;

	json_writer_init(&writer, BODY_MAX, 0);
	err = running->make(&running->report, &writer);
	if (err || running->report.failed) {
		json_writer_free(&writer);
		running->status = err;
		return 0;
	}
	running->status = json_writer_take(&writer, &running->body, &running->size);
	return 0;
}

/* ---- turns */

int reports_new(struct reports **ret)
{
	struct reports *reports = calloc(1, sizeof(*reports));

	if (!reports)
		return -ENOMEM;
	pthread_mutex_init(&reports->lock, NULL);
	reports->end = &reports->first;
	*ret = reports;
	return 0;
}

void reports_free(struct reports *reports)
{
	if (!reports)
		return;
	pthread_mutex_destroy(&reports->lock);
	free(reports);
}

/* 1: it may run; 0: it waits; -EBUSY: too many do, and its op is not taken. */
static int take_turn(struct reports *reports, struct report_work *work)
{
	int turn = 1;

	pthread_mutex_lock(&reports->lock);
	if (reports->running < REPORTS_RUNNING || reports->waiting < REPORTS_WAITING)
		gantry_op_take(work->outer, NULL, NULL); /* before somebody may finish it */
	if (reports->running < REPORTS_RUNNING) {
		reports->running++;
	} else if (reports->waiting < REPORTS_WAITING) {
		*reports->end = work;
		reports->end = &work->next;
		reports->waiting++;
		turn = 0;
	} else {
		turn = -EBUSY;
	}
	pthread_mutex_unlock(&reports->lock);
	return turn;
}

/* One has ended. The next in its place; NULL: nobody waits. */
static struct report_work *pass_turn(struct reports *reports)
{
	struct report_work *next;

	pthread_mutex_lock(&reports->lock);
	next = reports->first;
	if (next) {
		reports->first = next->next;
		reports->waiting--;
		if (!reports->first)
			reports->end = &reports->first;
	} else {
		reports->running--;
	}
	pthread_mutex_unlock(&reports->lock);
	return next;
}

static void start(struct report_work *work)
{
	gantry_work(work->report.broker->inst, &work->work, &work->op);
}

/* ---- one report */

static void answer(struct gantry_op *op)
{
	struct report_work *running = op->user;
	const struct report *report = &running->report;
	struct gantry_op *outer = running->outer;
	struct report_work *next = pass_turn(report->broker->reports);

	if (next)
		start(next);
	if (report->failed)
		call_fail(running->call, report->code, "%s", report->remark);
	else
		call_reply_made(running->call, running->status, running->body, running->size);
	free(running);
	gantry_op_finish(outer, 0, 0);
}

static char *keep(char *to, struct gantry_str *text)
{
	if (!text->at)
		return to;
	if (text->size)
		memcpy(to, text->at, text->size);
	text->at = to;
	return to + text->size;
}

int report_run(const struct report *ask, struct gantry_call *call, struct gantry_op *op,
	       report_make *make)
{
	size_t size = ask->topic.size + ask->group.size + ask->topics.size;
	struct report_work *running = malloc(sizeof(*running) + size + 1);
	int turn;
	char *to;

	if (!running)
		return call_no_memory(call);
	*running = (struct report_work){.report = *ask, .make = make, .call = call, .outer = op};
	to = keep(running->texts, &running->report.topic);
	to = keep(to, &running->report.group);
	keep(to, &running->report.topics);
	running->work = (struct gantry_work){.run = make_body, .user = running};
	running->op = (struct gantry_op){.done = answer, .loop = op->loop, .user = running};
	turn = take_turn(ask->broker->reports, running);
	if (turn < 0) {
		free(running);
		return call_fail(call, GANTRY_SYSTEM_BUSY, "too many reports are being made");
	}
	if (turn)
		start(running);
	return GANTRY_PENDING;
}

int report_fail(struct report *report, int32_t code, const char *format, ...)
{
	va_list args;

	report->failed = true;
	report->code = code;
	va_start(args, format);
	vsnprintf(report->remark, sizeof(report->remark), format, args);
	va_end(args);
	return 0;
}

void report_write_queue(const struct report *report, struct json_writer *writer,
			const struct topic *topic, int32_t id)
{
	json_open_object(writer);
	json_member_string(writer, "brokerName", report->broker->name);
	json_member_int(writer, "queueId", id);
	json_member_str(writer, "topic", topic->name);
	json_close_object(writer);
}

void report_bounds(const struct report *report, struct topic *topic, int32_t id, int64_t *ret_min,
		   int64_t *ret_max)
{
	struct queue *queue = store_queue(report->broker->store, topic, id);

	*ret_min = *ret_max = 0;
	if (queue)
		queue_bounds(queue, ret_min, ret_max);
}

int64_t report_store_ms(const struct report *report, struct topic *topic, int32_t id, int64_t at)
{
	struct store *store = report->broker->store;
	struct queue *queue = at < 0 ? NULL : store_queue(store, topic, id);

	return queue ? queue_store_ms(store, queue, at) : -1;
}
