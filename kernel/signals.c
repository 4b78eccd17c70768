/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, on the control loop. */
#include "signals.h"
#include "kernel.h"

#include <signal.h>

static void on_signal(uv_signal_t *handle, int number)
{
	struct gk_kernel *kernel = handle->data;
	gk_kernel_ask(kernel, number == SIGHUP ? GK_ASK_RELOAD : GK_ASK_STOP);
}

static int take(struct gk_kernel *kernel, uv_signal_t *handle, int number)
{
	int bad = uv_signal_init(&kernel->loops[kernel->loop_count].uv, handle);
	handle->data = kernel;
	return bad ? bad : uv_signal_start(handle, on_signal, number);
}

int gk_signals_take(struct gk_kernel *kernel)
{
	struct gk_signals *signals = &kernel->signals;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGPIPE, &ignore, NULL); /* writing to a closed socket is an ordinary error */
	signals->taken = 1;
	int bad = take(kernel, &signals->terminate, SIGTERM);
	if (!bad)
		bad = take(kernel, &signals->interrupt, SIGINT);
	return bad ? bad : take(kernel, &signals->hangup, SIGHUP);
}

void gk_signals_leave(struct gk_kernel *kernel)
{
	struct gk_signals *signals = &kernel->signals;
	uv_signal_t *all[] = {&signals->terminate, &signals->interrupt, &signals->hangup};
	for (unsigned i = 0; signals->taken && i < 3; i++) {
		if (all[i]->loop)
			uv_close((uv_handle_t *)all[i], NULL);
	}
	signals->taken = 0;
}
