/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager's notification protocol (sd_notify(3)): one datagram of KEY=VALUE lines to
 * $NOTIFY_SOCKET. Without that variable nothing is sent. */
#ifndef GK_NOTIFY_H
#define GK_NOTIFY_H

#include <gantry/base.h>
#include <gantry/loop.h>
#include <uv.h>

GANTRY_BEGIN

struct gk_kernel;

struct gk_notify {
	int fd; /* -1: nobody listens */
	/* the watchdog; control thread */
	uv_timer_t beat;
	int watching;
	struct gk_pulse *pulses; /* one for each event loop */
};

/* Connects to $NOTIFY_SOCKET if it is set. */
void gk_notify_open(struct gk_notify *notify);
void gk_notify_close(struct gk_notify *notify);

/* Sends a message: "READY=1\nSTATUS=...". Errors are logged at debug. Any thread. */
void gk_notify_send(const struct gk_notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* RELOADING=1 with the time that the protocol wants; READY=1 follows when it is done. */
void gk_notify_reloading(const struct gk_notify *notify);

/* With $WATCHDOG_USEC: twice in that time asks every event loop for a sign of life and sends
 * WATCHDOG=1 if all gave the last one. Control thread. */
void gk_watchdog_start(struct gk_kernel *kernel);
/* Before the loops end. */
void gk_watchdog_stop(struct gk_kernel *kernel);

GANTRY_END
#endif
