/* SPDX-License-Identifier: Apache-2.0 */
/* Event loops, slow work, listeners and periodic timers. The kernel owns the threads; a plugin
 * starts none. Inside its loop a plugin uses libuv as it is, through gantry_loop_uv().
 *
 * There are N event loops, where connections live, and the control loop, where lifecycle calls
 * run. Whatever a plugin opens it closes before its stop is done; a libuv handle left behind is
 * reported with the plugin's name if the plugin marked it with gantry_loop_own(). */
#ifndef GANTRY_LOOP_H
#define GANTRY_LOOP_H

#include <gantry/base.h>
#include <gantry/op.h>

struct uv_loop_s;
struct uv_handle_s;

GANTRY_BEGIN

/* The event loops of this process; fixed before the first setup. Any thread. */
GANTRY_API unsigned gantry_loop_count(const struct gantry_inst *inst);
GANTRY_API struct gantry_loop *gantry_loop_at(const struct gantry_inst *inst, unsigned i);
GANTRY_API struct gantry_loop *gantry_loop_control(const struct gantry_inst *inst);

GANTRY_API struct gantry_loop *gantry_loop_here(void); /* NULL on a thread that is no loop */
GANTRY_API unsigned gantry_loop_index(const struct gantry_loop *loop); /* control: the count */
GANTRY_API struct uv_loop_s *gantry_loop_uv(struct gantry_loop *loop);

/* Notes who opened a libuv handle, for the report of handles left behind. On the handle's loop;
 * the handle's data field stays the plugin's. */
GANTRY_API void gantry_loop_own(struct gantry_inst *inst, struct uv_handle_s *handle);

/* A piece of work for another thread's loop: the caller's memory, in use until run is called. */
struct gantry_task {
	void (*run)(struct gantry_task *task);
	void *user;
	struct gantry_task *next; /* the kernel's */
};

/* Runs task on that loop, after the current callback, in the order posted. Any thread. */
GANTRY_API void gantry_loop_post(struct gantry_loop *loop, struct gantry_task *task);

/* Slow work (a blocking system call, a long computation) on the kernel's worker pool. */
struct gantry_work {
	int (*run)(struct gantry_work *work); /* on a worker; its value becomes op->status */
	void *user;
	struct gantry_op *op; /* the kernel's from here on */
	struct gantry_work *next;
	struct gantry_inst *inst;
};

/* Always returns GANTRY_PENDING: op finishes with run's value. work is the caller's memory, in use
 * until then. Any thread. */
GANTRY_API int gantry_work(struct gantry_inst *inst, struct gantry_work *work,
			   struct gantry_op *op);

/* A listening TCP socket. Connections are spread over the event loops in turn; accepted runs on
 * the connection's loop and owns fd (non-blocking, close-on-exec). */
struct gantry_listener;
struct gantry_listen_spec {
	uint32_t size;
	int32_t backlog;
	const char *host; /* an IP address; NULL or "" is every address: one IPv6 socket, where an
			     IPv4 peer shows as ::ffff:a.b.c.d */
	uint32_t port;    /* 0: one that is free, see gantry_listener_port() */
	uint32_t reserved;
	void (*accepted)(struct gantry_listener *listener, struct gantry_loop *loop, int fd,
			 void *user);
	void *user;
};

/* Opens it; -EADDRINUSE and its like as they come. On the control thread. The kernel closes it
 * when the instance stops, if the plugin has not. */
GANTRY_API int gantry_listen(struct gantry_inst *inst, const struct gantry_listen_spec *spec,
			     struct gantry_listener **ret);
GANTRY_API unsigned gantry_listener_port(const struct gantry_listener *listener);
/* No accepted call begins after this returns. On the control thread; NULL is fine. */
GANTRY_API void gantry_listener_close(struct gantry_listener *listener);

/* A timer: tick runs on loop, first after first_ms, then every period_ms (0: once). The kernel
 * stops it when the instance stops, if the plugin has not. Any thread. */
struct gantry_timer;
GANTRY_API int gantry_timer_start(struct gantry_inst *inst, struct gantry_loop *loop,
				  uint64_t first_ms, uint64_t period_ms,
				  void (*tick)(struct gantry_timer *timer, void *user), void *user,
				  struct gantry_timer **ret);
/* Frees the timer. On its own loop no tick follows; from another thread one that has begun may
 * still end. NULL is fine. */
GANTRY_API void gantry_timer_stop(struct gantry_timer *timer);

GANTRY_END
#endif
