/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify and the watchdog, without libsystemd. */
#include "notify.h"
#include "kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A leading @ stands for the abstract namespace, whose names have no NUL at their end. */
static int parse_socket(const char *text, struct sockaddr_un *ret, socklen_t *ret_size)
{
	size_t size = strlen(text);
	if (size < 2 || size >= sizeof(ret->sun_path) || (text[0] != '/' && text[0] != '@'))
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, text, size);
	if (text[0] == '@')
		ret->sun_path[0] = 0;
	*ret_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return 0;
}

void gk_notify_open(struct gk_notify *notify)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t size;
	notify->fd = -1;
	if (!text || !*text)
		return;
	if (parse_socket(text, &address, &size) < 0) {
		gantry_log(NULL, WARNING, "NOTIFY_SOCKET is %s: not the path of a socket", text);
		return;
	}
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify->fd >= 0 && connect(notify->fd, (struct sockaddr *)&address, size) < 0) {
		gantry_log(NULL, WARNING, "NOTIFY_SOCKET %s: %s", text, strerror(errno));
		gk_notify_close(notify);
	}
}

void gk_notify_close(struct gk_notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void gk_notify_send(const struct gk_notify *notify, const char *format, ...)
{
	char text[512];
	va_list args;
	if (notify->fd < 0)
		return;
	va_start(args, format);
	int size = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (size < 0)
		return;
	if ((size_t)size >= sizeof(text))
		size = sizeof(text) - 1;
	if (send(notify->fd, text, (size_t)size, MSG_NOSIGNAL) < 0)
		gantry_log(NULL, DEBUG, "cannot tell the service manager: %s", strerror(errno));
}

void gk_notify_reloading(const struct gk_notify *notify)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	gk_notify_send(notify, "RELOADING=1\nMONOTONIC_USEC=%llu",
		       (unsigned long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* ---- the watchdog */

struct gk_pulse {
	struct gantry_task task;
	int asked; /* atomic; 1: the loop has not answered yet */
};

static void answer(struct gantry_task *task)
{
	struct gk_pulse *pulse = GK_OF(struct gk_pulse, task, task);
	__atomic_store_n(&pulse->asked, 0, __ATOMIC_RELEASE);
}

static void on_beat(uv_timer_t *beat)
{
	struct gk_notify *notify = GK_OF(struct gk_notify, beat, beat);
	struct gk_kernel *kernel = GK_OF(struct gk_kernel, notify, notify);
	unsigned late = 0;
	for (unsigned i = 0; i < kernel->loop_count; i++) {
		struct gk_pulse *pulse = &notify->pulses[i];
		if (__atomic_load_n(&pulse->asked, __ATOMIC_ACQUIRE)) {
			gantry_log(NULL, WARNING, "event loop %u does not come round", i);
			late++;
			continue;
		}
		pulse->asked = 1;
		gantry_loop_post(&kernel->loops[i], &pulse->task);
	}
	if (!late)
		gk_notify_send(notify, "WATCHDOG=1");
}

/* Half of WATCHDOG_USEC in ms; 0 if there is none, or if it is meant for another process. */
static uint64_t beat_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	if (!usec || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10) / 2000;
}

void gk_watchdog_start(struct gk_kernel *kernel)
{
	struct gk_notify *notify = &kernel->notify;
	uint64_t every = beat_ms();
	if (notify->fd < 0 || !every)
		return;
	notify->pulses = g_new0(struct gk_pulse, kernel->loop_count);
	for (unsigned i = 0; i < kernel->loop_count; i++)
		notify->pulses[i].task.run = answer;
	notify->watching = 1;
	uv_timer_init(&kernel->loops[kernel->loop_count].uv, &notify->beat);
	uv_timer_start(&notify->beat, on_beat, 0, every);
}

static void nothing(struct gantry_loop *loop, void *user)
{
	(void)loop;
	(void)user;
}

void gk_watchdog_stop(struct gk_kernel *kernel)
{
	struct gk_notify *notify = &kernel->notify;
	if (!notify->watching)
		return;
	notify->watching = 0;
	uv_close((uv_handle_t *)&notify->beat, NULL);
	gk_loops_each(kernel, nothing, NULL); /* every question is answered: pulses may go */
	g_clear_pointer(&notify->pulses, g_free);
}
