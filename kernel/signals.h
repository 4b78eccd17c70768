/* SPDX-License-Identifier: Apache-2.0 */
/* Signals become requests to the kernel. */
#ifndef GK_SIGNALS_H
#define GK_SIGNALS_H

#include <gantry/base.h>
#include <signal.h>
#include <uv.h>

GANTRY_BEGIN

struct gk_kernel;

struct gk_signals {
	uv_poll_t readable;
	int fd;
	sigset_t before; /* the control thread's mask until they were taken */
	int taken;
};

/* SIGTERM and SIGINT ask for a stop, SIGHUP for a reload; SIGPIPE is ignored. Control thread. */
int gk_signals_take(struct gk_kernel *kernel);
void gk_signals_leave(struct gk_kernel *kernel);

GANTRY_END
#endif
