/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling: the plan of checks, and what comes of a pull that passed them. */
#include "pull/pull.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pull/private.h"

/* In RocketMQ's order: which error a bad pull gets depends on it. */
static const struct pull_step plan[] = {
	{"slave", pull_check_slave},
	{"broker", pull_check_broker},
	{"lite pull", pull_check_lite},
	{"group", pull_find_group},
	{"topic", pull_find_topic},
	{"queue", pull_check_queue},
	{"subscription", pull_find_subscription},
	{"filter", pull_check_filter},
	{"member", pull_check_member},
	{"broadcast", pull_find_broadcast},
};

int pull_refuse(struct pull_context *context, int32_t code, int32_t forbidden, const char *format,
		...)
{
	struct gantry_pull *pull = context->pull;
	va_list args;

	va_start(args, format);
	vsnprintf(pull->remark, sizeof(pull->remark), format, args);
	va_end(args);
	pull->code = code;
	pull->forbidden_type = forbidden;
	return 1;
}

static void clear_answer(struct gantry_pull *pull)
{
	pull->forbidden_type = 0;
	pull->next_offset = pull->min_offset = pull->max_offset = pull->suggest_broker_id = 0;
	pull->topic_sys_flag = pull->group_sys_flag = -1;
	pull->slices = NULL;
	pull->slice_count = pull->message_count = 0;
	pull->remark[0] = '\0';
}

static int check(struct pull_context *context)
{
	for (size_t i = 0; i < sizeof(plan) / sizeof(plan[0]); i++)
		if (plan[i].run(context))
			return 1;
	return 0;
}

/* Answers at once, or hands the pull and its subscription on to a hold. */
static int execute(struct pull_context *context, struct gantry_op *op)
{
	struct pull_result result;
	int status = pull_read(context, NULL, &result);

	if (status == -EAGAIN)
		return hold_read(context, op);
	pull_answer(context, &result, true);
	if (context->pull->code == GANTRY_PULL_NOT_FOUND && hold_is_allowed(context))
		return hold_park(context, op);
	return 0;
}

int puller_pull(struct gantry_inst *inst, struct gantry_pull *pull, struct gantry_op *op)
{
	struct puller *puller = broker_of(inst)->puller;
	struct pull_loop *loop = &puller->loops[gantry_loop_index(gantry_loop_here())];
	struct pull_context context = {
		.puller = puller, .loop = loop, .pull = pull, .from = pull->offset};
	int status = 0;

	clear_answer(pull);
	if (__atomic_load_n(&puller->draining, __ATOMIC_ACQUIRE))
		pull_refuse(&context, GANTRY_SYSTEM_ERROR, 0, "store getMessage return null");
	else if (!check(&context))
		status = execute(&context, op);
	if (!status) {
		subscription_release(context.subscription);
		free(context.proxy_client);
	}
	return status;
}

/* ---- life */

static uint64_t memory_for_messages(const struct broker *broker)
{
	uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	return total / 100 * broker_memory_percent(broker);
}

static uint32_t most_slices(const struct broker_conf *conf)
{
	int64_t count = conf->maxTransferCountOnMessageInMemory;

	if (count < conf->maxTransferCountOnMessageInDisk)
		count = conf->maxTransferCountOnMessageInDisk;
	return count + 1 < PULL_SLICES_MAX ? (uint32_t)count + 2 : PULL_SLICES_MAX;
}

static int make_loops(struct puller *puller)
{
	const struct gantry_inst *inst = puller->broker->inst;
	uint32_t events = gantry_loop_count(inst);
	size_t size = (events + 1) * sizeof(*puller->loops); /* the control loop may pull too */

	puller->loops = aligned_alloc(64, size);
	if (!puller->loops)
		return -ENOMEM;
	memset(puller->loops, 0, size);
	puller->loop_count = events + 1;
	for (uint32_t i = 0; i < puller->loop_count; i++) {
		struct pull_loop *loop = &puller->loops[i];

		loop->puller = puller;
		loop->loop = i < events ? gantry_loop_at(inst, i) : gantry_loop_control(inst);
		loop->slices = calloc(puller->slices_max, sizeof(*loop->slices));
		loop->pages = pull_pages_new();
		if (!loop->slices || !loop->pages)
			return -ENOMEM;
	}
	return 0;
}

static int64_t read_held(void *user)
{
	return (int64_t)puller_held(user);
}

static int define_counters(struct puller *puller)
{
	struct gantry_inst *inst = puller->broker->inst;
	int status = gantry_counter_define(inst, "pulls", "pulls answered", &puller->pulls);

	if (!status)
		status = gantry_counter_define(inst, "messages_got", "messages given to pulls",
					       &puller->messages);
	if (!status)
		status = gantry_counter_define(inst, "bytes_got",
					       "bytes of messages given to pulls", &puller->bytes);
	if (!status)
		status = gantry_gauge_define(inst, "pulls_held", "pulls that wait for messages",
					     read_held, puller);
	return status;
}

int puller_new(struct broker *broker, struct puller **ret)
{
	struct puller *puller = calloc(1, sizeof(*puller));
	int status;

	if (!puller)
		return -ENOMEM;
	puller->broker = broker;
	puller->busy = 1;
	puller->memory = memory_for_messages(broker);
	puller->slices_max = most_slices(broker->conf);
	pthread_mutex_init(&puller->lock, NULL);
	status = make_loops(puller);
	if (!status)
		status = define_counters(puller);
	if (status) {
		puller_free(puller);
		return status;
	}
	*ret = puller;
	return 0;
}

int puller_serve(struct puller *puller)
{
	store_on_arrival(puller->broker->store, queue_holds_arrived, puller);
	return 0;
}

uint64_t puller_held(const struct puller *puller)
{
	uint64_t held = 0;

	for (uint32_t i = 0; i < puller->loop_count; i++)
		held += __atomic_load_n(&puller->loops[i].held, __ATOMIC_RELAXED);
	return held;
}

/* ---- drain */

/* In two rounds over the loops: the first answers what is held; once that is done, the second comes
 * behind every task that was on its way to a loop. */

static void post_all(struct puller *puller, void (*run)(struct gantry_task *task))
{
	__atomic_add_fetch(&puller->busy, puller->loop_count, __ATOMIC_ACQ_REL);
	for (uint32_t i = 0; i < puller->loop_count; i++) {
		struct pull_loop *loop = &puller->loops[i];

		loop->drain_task = (struct gantry_task){.run = run, .user = loop};
		gantry_loop_post(loop->loop, &loop->drain_task);
	}
}

static void sweep(struct gantry_task *task)
{
	struct pull_loop *loop = task->user;

	puller_leave(loop->puller);
}

static void expire(struct gantry_task *task)
{
	struct pull_loop *loop = task->user;

	wheel_expire_all(loop);
	puller_leave(loop->puller);
}

void puller_leave(struct puller *puller)
{
	if (__atomic_sub_fetch(&puller->busy, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (puller->swept) {
		gantry_op_finish(puller->drain_op, 0, 0);
		return;
	}
	puller->swept = true;
	post_all(puller, sweep);
}

int puller_drain(struct puller *puller, struct gantry_op *op)
{
	gantry_op_take(op, NULL, puller);
	puller->drain_op = op;
	__atomic_store_n(&puller->draining, true, __ATOMIC_RELEASE);
	post_all(puller, expire);
	puller_leave(puller);
	return GANTRY_PENDING;
}

void puller_free(struct puller *puller)
{
	if (!puller)
		return;
	for (uint32_t i = 0; puller->loops && i < puller->loop_count; i++) {
		free(puller->loops[i].slices);
		pull_pages_free(puller->loops[i].pages);
		free(puller->loops[i].wheel);
	}
	queue_holds_free(puller);
	pthread_mutex_destroy(&puller->lock);
	free(puller->loops);
	free(puller);
}
