/* SPDX-License-Identifier: Apache-2.0 */
/* Event loops: N threads where connections live, and the control loop on the thread that made the
 * kernel. Finished ops and posted tasks reach a loop through two queues.
 *
 * From its own thread they go to a plain list, which the loop empties before and after each poll:
 * no system call, and the poll does not block while something is in it. From another thread they
 * go to a lock-free stack, and whoever finds it empty wakes the loop. */
#ifndef GK_LOOP_H
#define GK_LOOP_H

#include <gantry/loop.h>
#include <glib.h>
#include <pthread.h>
#include <uv.h>

GANTRY_BEGIN

struct gk_kernel;

/* The `next` member of an op or a task. */
struct gk_node {
	struct gk_node *next;
};

struct gk_queue {
	struct gk_node *first, **end; /* the loop's thread; a list, oldest first */
	struct gk_node *inbox;        /* atomic; a stack of other threads', newest first */
};

struct gantry_loop {
	struct gk_kernel *kernel;
	unsigned index; /* the control loop's is the count of event loops */
	int running;    /* control thread: has a thread of its own now */
	int quit;       /* the loop's thread */
	pthread_t thread;
	uv_loop_t uv;
	uv_async_t wake;
	uv_prepare_t before_poll;
	uv_check_t after_poll;
	uv_idle_t busy;     /* active while a queue is not empty: the poll returns at once */
	GHashTable *owners; /* the loop's thread; uv_handle_t * -> struct gantry_inst * */
	unsigned owners_max;
	struct gk_queue ops, tasks;
};

/* Makes count event loops, without threads yet, and the control loop; the calling thread becomes
 * the control thread. */
int gk_loops_open(struct gk_kernel *kernel, unsigned count);
/* Gives each event loop its thread. */
int gk_loops_start(struct gk_kernel *kernel);
/* Ends the threads once what was posted to them has run. Does nothing if none runs. */
void gk_loops_stop(struct gk_kernel *kernel);
/* Reports every libuv handle that is left, by owner, and closes it. Threads have ended. Returns
 * how many. */
unsigned gk_loops_sweep(struct gk_kernel *kernel);
/* Frees what is left. Half-built is fine. */
void gk_loops_close(struct gk_kernel *kernel);

/* Runs act on each event loop's thread and waits for all; on the control thread, outside of its
 * loop's callbacks. Before the threads start, act runs here. */
void gk_loops_each(struct gk_kernel *kernel, void (*act)(struct gantry_loop *loop, void *user),
		   void *user);

/* Runs the control loop until met returns true or deadline_ms (gantry_clock_ms(); 0: none) has
 * passed. Returns 0 or -ETIMEDOUT. On the control thread, outside of its loop's callbacks. Whoever
 * changes what met looks at wakes the control loop afterwards. */
int gk_control_until(struct gk_kernel *kernel, int (*met)(void *user), void *user,
		     uint64_t deadline_ms);
/* Makes it look again. Any thread. */
void gk_control_wake(struct gk_kernel *kernel);

/* Queues a finished op on its loop. Any thread. */
void gk_loop_finish(struct gantry_loop *loop, struct gantry_op *op);
/* Its turn has come: runs done (op.c). */
void gk_op_done(struct gantry_op *op);

/* Starts a thread of the kernel's: a small stack, no signals, a name. Returns a negative errno. */
int gk_thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *user);

GANTRY_END
#endif
