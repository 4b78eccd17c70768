/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, on the control loop. They are blocked in every thread and read from a descriptor: no
 * handler runs in the middle of anything (and none is put off by the thread sanitizer). */
#include "signals.h"
#include "kernel.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct gk_kernel *kernel = handle->data;
	struct signalfd_siginfo info;

	(void)status;
	(void)events;
	while (read(kernel->signals.fd, &info, sizeof(info)) == sizeof(info))
		gk_kernel_ask(kernel, info.ssi_signo == SIGHUP ? GK_ASK_RELOAD : GK_ASK_STOP);
}

static int watch(struct gk_kernel *kernel, const sigset_t *set)
{
	struct gk_signals *signals = &kernel->signals;
	int bad;

	signals->fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0)
		return -errno;
	bad = uv_poll_init(&kernel->loops[kernel->loop_count].uv, &signals->readable, signals->fd);
	if (bad) {
		close(signals->fd);
		return bad;
	}
	signals->readable.data = kernel;
	signals->taken = 1;
	return uv_poll_start(&signals->readable, UV_READABLE, on_readable);
}

int gk_signals_take(struct gk_kernel *kernel)
{
	struct gk_signals *signals = &kernel->signals;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;
	int bad;

	sigaction(SIGPIPE, &ignore, NULL); /* writing to a closed socket is an ordinary error */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, &signals->before);
	bad = watch(kernel, &set);
	if (bad && !signals->taken)
		pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
	return bad;
}

static void close_fd(uv_handle_t *handle)
{
	struct gk_kernel *kernel = handle->data;

	close(kernel->signals.fd);
}

void gk_signals_leave(struct gk_kernel *kernel)
{
	struct gk_signals *signals = &kernel->signals;

	if (!signals->taken)
		return;
	on_readable(&signals->readable, 0, 0); /* or it would be delivered with the old mask */
	uv_close((uv_handle_t *)&signals->readable, close_fd);
	pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
	signals->taken = 0;
}
