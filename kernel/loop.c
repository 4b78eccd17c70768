/* SPDX-License-Identifier: Apache-2.0 */
/* The event loops' threads and queues. */
#include "loop.h"
#include "kernel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature) /* clang's way to say what gcc says with __SANITIZE_... */
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define GK_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GK_SANITIZED
#endif

enum {
	ROUNDS_MAX = 16, /* of a drain, before sockets get their turn */
#ifdef GK_SANITIZED
	STACK_BYTES = 1024 * 1024, /* instrumented frames are larger */
#else
	STACK_BYTES = 256 * 1024,
#endif
};

static _Thread_local struct gantry_loop *here __attribute__((tls_model("initial-exec")));

/* ---- queues */

static void queue_init(struct gk_queue *queue)
{
	queue->first = queue->inbox = NULL;
	queue->end = &queue->first;
}

static void queue_append(struct gk_queue *queue, struct gk_node *node)
{
	node->next = NULL;
	*queue->end = node;
	queue->end = &node->next;
}

/* From another thread. Returns whether the loop must be woken: nobody else has. */
static int queue_send(struct gk_queue *queue, struct gk_node *node)
{
	struct gk_node *head = __atomic_load_n(&queue->inbox, __ATOMIC_RELAXED);
	do
		node->next = head;
	while (!__atomic_compare_exchange_n(&queue->inbox, &head, node, 1, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
	return !head;
}

/* Everything there is, oldest first. */
static struct gk_node *queue_take(struct gk_queue *queue)
{
	struct gk_node *inbox = NULL, *sent = NULL, *first;
	if (__atomic_load_n(&queue->inbox, __ATOMIC_RELAXED))
		inbox = __atomic_exchange_n(&queue->inbox, NULL, __ATOMIC_ACQUIRE);
	while (inbox) {
		struct gk_node *next = inbox->next;
		inbox->next = sent;
		sent = inbox;
		inbox = next;
	}
	*queue->end = sent;
	first = queue->first;
	queue->first = NULL;
	queue->end = &queue->first;
	return first;
}

static void run_ops(struct gantry_loop *loop)
{
	struct gk_node *node = queue_take(&loop->ops);
	while (node) {
		struct gantry_op *op = GK_OF(struct gantry_op, next, node);
		node = node->next;
		gk_op_done(op);
	}
}

static void run_tasks(struct gantry_loop *loop)
{
	struct gk_node *node = queue_take(&loop->tasks);
	while (node) {
		struct gantry_task *task = GK_OF(struct gantry_task, next, node);
		node = node->next;
		task->run(task);
	}
}

static int queues_empty(const struct gantry_loop *loop)
{
	return !loop->ops.first && !loop->tasks.first &&
	       !__atomic_load_n(&loop->ops.inbox, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&loop->tasks.inbox, __ATOMIC_RELAXED);
}

static void drain(struct gantry_loop *loop)
{
	for (unsigned round = 0; round < ROUNDS_MAX && !queues_empty(loop); round++) {
		run_ops(loop);
		run_tasks(loop);
	}
}

static void on_wake(uv_async_t *wake)
{
	drain(GK_OF(struct gantry_loop, wake, wake));
}

static void after_poll(uv_check_t *check)
{
	drain(GK_OF(struct gantry_loop, after_poll, check));
}

static void on_busy(uv_idle_t *idle)
{
	(void)idle; /* that it is active is what counts */
}

/* The last thing before the poll: what other prepare handles finish is seen too, since libuv runs
 * the newest of them first. */
static void before_poll(uv_prepare_t *prepare)
{
	struct gantry_loop *loop = GK_OF(struct gantry_loop, before_poll, prepare);
	drain(loop);
	if (!queues_empty(loop))
		uv_idle_start(&loop->busy, on_busy);
	else if (uv_is_active((uv_handle_t *)&loop->busy))
		uv_idle_stop(&loop->busy);
}

void gk_loop_finish(struct gantry_loop *loop, struct gantry_op *op)
{
	struct gk_node *node = (struct gk_node *)(void *)&op->next;
	if (loop == here)
		queue_append(&loop->ops, node);
	else if (queue_send(&loop->ops, node))
		uv_async_send(&loop->wake);
}

void gantry_loop_post(struct gantry_loop *loop, struct gantry_task *task)
{
	struct gk_node *node = (struct gk_node *)(void *)&task->next;
	if (loop == here)
		queue_append(&loop->tasks, node);
	else if (queue_send(&loop->tasks, node))
		uv_async_send(&loop->wake);
}

/* ---- what plugins ask */

unsigned gantry_loop_count(const struct gantry_inst *inst)
{
	return inst->kernel->loop_count;
}

struct gantry_loop *gantry_loop_at(const struct gantry_inst *inst, unsigned i)
{
	return i < inst->kernel->loop_count ? &inst->kernel->loops[i] : NULL;
}

struct gantry_loop *gantry_loop_control(const struct gantry_inst *inst)
{
	return &inst->kernel->loops[inst->kernel->loop_count];
}

struct gantry_loop *gantry_loop_here(void)
{
	return here;
}

unsigned gantry_loop_index(const struct gantry_loop *loop)
{
	return loop->index;
}

struct uv_loop_s *gantry_loop_uv(struct gantry_loop *loop)
{
	return &loop->uv;
}

/* ---- whose handle */

static void keep_live(uv_handle_t *handle, void *user)
{
	GHashTable **tables = user;
	gpointer owner = g_hash_table_lookup(tables[0], handle);
	if (owner)
		g_hash_table_insert(tables[1], handle, owner);
}

/* libuv does not tell us of closed handles: when the table has grown, forget theirs. */
static void forget_closed(struct gantry_loop *loop)
{
	GHashTable *tables[2] = {loop->owners, g_hash_table_new(NULL, NULL)};
	uv_walk(&loop->uv, keep_live, tables);
	g_hash_table_unref(tables[0]);
	loop->owners = tables[1];
	loop->owners_max = 64 + 2 * g_hash_table_size(tables[1]);
}

void gantry_loop_own(struct gantry_inst *inst, struct uv_handle_s *handle)
{
	struct gantry_loop *loop = GK_OF(struct gantry_loop, uv, handle->loop);
	if (!loop->owners)
		loop->owners = g_hash_table_new(NULL, NULL);
	g_hash_table_insert(loop->owners, handle, inst);
	if (g_hash_table_size(loop->owners) > loop->owners_max)
		forget_closed(loop);
}

/* ---- made, started, stopped */

static int loop_open(struct gantry_loop *loop)
{
	queue_init(&loop->ops);
	queue_init(&loop->tasks);
	int bad = uv_loop_init(&loop->uv);
	if (bad)
		return bad;
	loop->uv.data = loop;
	uv_prepare_init(&loop->uv, &loop->before_poll);
	uv_check_init(&loop->uv, &loop->after_poll);
	uv_idle_init(&loop->uv, &loop->busy);
	uv_prepare_start(&loop->before_poll, before_poll);
	uv_check_start(&loop->after_poll, after_poll);
	return uv_async_init(&loop->uv, &loop->wake, on_wake);
}

int gk_loops_open(struct gk_kernel *kernel, unsigned count)
{
	size_t size = (count + 1) * sizeof(struct gantry_loop);
	kernel->loops = calloc(1, size);
	if (!kernel->loops)
		return -ENOMEM;
	kernel->loop_count = count;
	for (unsigned i = 0; i <= count; i++) {
		kernel->loops[i].kernel = kernel;
		kernel->loops[i].index = i;
		int bad = loop_open(&kernel->loops[i]);
		if (bad)
			return bad;
	}
	kernel->loops[count].thread = pthread_self();
	here = &kernel->loops[count];
	return uv_timer_init(&here->uv, &kernel->alarm);
}

int gk_thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *user)
{
	pthread_attr_t attr;
	sigset_t all, saved;
	sigfillset(&all);
	sigdelset(&all, SIGBUS); /* a failing load is the thread's own: guard.c */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	int bad = pthread_create(ret, &attr, run, user);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	pthread_attr_destroy(&attr);
	if (!bad)
		pthread_setname_np(*ret, name);
	return -bad;
}

static void *run_loop(void *user)
{
	struct gantry_loop *loop = user;
	here = loop;
	while (!loop->quit)
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	return NULL;
}

int gk_loops_start(struct gk_kernel *kernel)
{
	for (unsigned i = 0; i < kernel->loop_count; i++) {
		struct gantry_loop *loop = &kernel->loops[i];
		char name[16];
		snprintf(name, sizeof(name), "gantry-loop-%u", i % 100);
		int bad = gk_thread_start(&loop->thread, name, run_loop, loop);
		if (bad)
			return bad;
		loop->running = 1;
	}
	return 0;
}

struct call {
	struct gantry_task task;
	struct gantry_loop *loop;
	void (*act)(struct gantry_loop *loop, void *user);
	void *user;
	unsigned *left; /* atomic */
};

static void run_call(struct gantry_task *task)
{
	struct call *call = GK_OF(struct call, task, task);
	struct gk_kernel *kernel = call->loop->kernel;
	call->act(call->loop, call->user);
	__atomic_sub_fetch(call->left, 1, __ATOMIC_RELEASE);
	gk_control_wake(kernel);
}

static int none_left(void *user)
{
	return __atomic_load_n((unsigned *)user, __ATOMIC_ACQUIRE) == 0;
}

void gk_loops_each(struct gk_kernel *kernel, void (*act)(struct gantry_loop *loop, void *user),
		   void *user)
{
	struct call *calls = g_new0(struct call, kernel->loop_count);
	unsigned left = 0;
	for (unsigned i = 0; i < kernel->loop_count; i++) {
		struct gantry_loop *loop = &kernel->loops[i];
		if (!loop->running) {
			act(loop, user);
			continue;
		}
		calls[i] = (struct call){.loop = loop, .act = act, .user = user, .left = &left};
		calls[i].task.run = run_call;
		__atomic_add_fetch(&left, 1, __ATOMIC_RELAXED);
		gantry_loop_post(loop, &calls[i].task);
	}
	gk_control_until(kernel, none_left, &left, 0);
	g_free(calls);
}

static void quit(struct gantry_task *task)
{
	struct call *call = GK_OF(struct call, task, task);
	call->loop->quit = 1;
	uv_stop(&call->loop->uv);
}

void gk_loops_stop(struct gk_kernel *kernel)
{
	struct call *calls = g_new0(struct call, kernel->loop_count);
	for (unsigned i = 0; i < kernel->loop_count; i++) {
		struct gantry_loop *loop = &kernel->loops[i];
		if (!loop->running)
			continue;
		calls[i] = (struct call){.task.run = quit, .loop = loop};
		gantry_loop_post(loop, &calls[i].task);
	}
	for (unsigned i = 0; i < kernel->loop_count; i++) {
		if (kernel->loops[i].running)
			pthread_join(kernel->loops[i].thread, NULL);
		kernel->loops[i].running = 0;
	}
	g_free(calls);
}

/* ---- the control loop */

static void on_alarm(uv_timer_t *alarm)
{
	uv_stop(alarm->loop); /* or the poll that follows would wait */
}

int gk_control_until(struct gk_kernel *kernel, int (*met)(void *user), void *user,
		     uint64_t deadline_ms)
{
	struct gantry_loop *control = &kernel->loops[kernel->loop_count];
	int late = 0;
	while (!met(user) && !late) {
		uint64_t now = gantry_clock_ms();
		late = deadline_ms && now >= deadline_ms;
		if (deadline_ms && !late) {
			uv_update_time(&control->uv);
			uv_timer_start(&kernel->alarm, on_alarm, deadline_ms - now, 0);
		}
		uv_run(&control->uv, late ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	}
	uv_timer_stop(&kernel->alarm);
	return met(user) ? 0 : -ETIMEDOUT;
}

void gk_control_wake(struct gk_kernel *kernel)
{
	uv_async_send(&kernel->loops[kernel->loop_count].wake);
}

/* ---- what is left at the end */

static int is_ours(const struct gantry_loop *loop, const uv_handle_t *handle)
{
	return handle == (const uv_handle_t *)&loop->wake ||
	       handle == (const uv_handle_t *)&loop->before_poll ||
	       handle == (const uv_handle_t *)&loop->after_poll ||
	       handle == (const uv_handle_t *)&loop->busy ||
	       handle == (const uv_handle_t *)&loop->kernel->alarm;
}

static void count_closing(uv_handle_t *handle, void *user)
{
	*(unsigned *)user += uv_is_closing(handle) ? 1 : 0;
}

/* Closed handles are freed by their close callbacks, which only a running loop calls. */
static void finish_closing(struct gantry_loop *loop)
{
	struct gantry_loop *saved = here;
	unsigned closing;
	here = loop;
	do {
		closing = 0;
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		uv_walk(&loop->uv, count_closing, &closing);
	} while (closing);
	here = saved;
}

static void sweep_handle(uv_handle_t *handle, void *user)
{
	struct gantry_loop *loop = handle->loop->data;
	struct gantry_inst *owner;
	if (uv_is_closing(handle) || is_ours(loop, handle))
		return;
	owner = loop->owners ? g_hash_table_lookup(loop->owners, handle) : NULL;
	gantry_log(owner, ERROR, "left a libuv %s handle open on loop %u%s",
		   uv_handle_type_name(handle->type), loop->index,
		   owner ? "" : " (nobody owned it with gantry_loop_own)");
	uv_close(handle, NULL);
	*(unsigned *)user += 1;
}

unsigned gk_loops_sweep(struct gk_kernel *kernel)
{
	unsigned left = 0;
	for (unsigned i = 0; i <= kernel->loop_count; i++) {
		finish_closing(&kernel->loops[i]);
		uv_walk(&kernel->loops[i].uv, sweep_handle, &left);
		finish_closing(&kernel->loops[i]);
	}
	return left;
}

static void close_ours(uv_handle_t *handle, void *user)
{
	(void)user;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void gk_loops_close(struct gk_kernel *kernel)
{
	for (unsigned i = 0; kernel->loops && i <= kernel->loop_count; i++) {
		struct gantry_loop *loop = &kernel->loops[i];
		if (!loop->uv.data)
			continue; /* never opened */
		uv_walk(&loop->uv, close_ours, NULL);
		finish_closing(loop);
		int bad = uv_loop_close(&loop->uv);
		if (bad)
			gantry_log(NULL, ERROR, "loop %u does not close: %s", i, uv_strerror(bad));
		if (loop->owners)
			g_hash_table_unref(loop->owners);
		if (loop == here)
			here = NULL;
	}
	free(kernel->loops);
	kernel->loops = NULL;
	kernel->loop_count = 0;
}
