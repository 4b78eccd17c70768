/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one line an event, to stderr, with journald's priority in front when the journal
 * listens, or as JSON. The level is tested before anything is formatted. */
#ifndef GANTRY_LOG_H
#define GANTRY_LOG_H

#include <gantry/base.h>

GANTRY_BEGIN

/* syslog's numbers */
enum gantry_log_level {
	GANTRY_LOG_ERROR = 3,
	GANTRY_LOG_WARNING = 4,
	GANTRY_LOG_NOTICE = 5,
	GANTRY_LOG_INFO = 6,
	GANTRY_LOG_DEBUG = 7,
};

/* Lines above this number are dropped. The kernel's; plugins read it through the macro. Atomic. */
extern GANTRY_API int gantry_log_max;
#define GANTRY_LOGS(level)                                                                         \
	(GANTRY_LOG_##level <= __atomic_load_n(&gantry_log_max, __ATOMIC_RELAXED))

/* gantry_log(inst, ERROR, "cannot open %s: %s", path, why). inst may be NULL for the kernel.
 * Any thread; never fails; a line is cut at 4 KiB; control characters are escaped. */
#define gantry_log(inst, level, ...)                                                               \
	do {                                                                                       \
		if (GANTRY_LOGS(level))                                                            \
			gantry_log_write(inst, GANTRY_LOG_##level, __VA_ARGS__);                   \
	} while (0)

/* The same, at most once a second for each limit (zeroed, in the caller's own memory); the next
 * line that passes says how many were left out. */
#define gantry_log_limited(inst, limit, level, ...)                                                \
	do {                                                                                       \
		if (GANTRY_LOGS(level) && gantry_log_allow(limit, inst))                           \
			gantry_log_write(inst, GANTRY_LOG_##level, __VA_ARGS__);                   \
	} while (0)

/* atomics of the kernel's */
struct gantry_log_limit {
	uint64_t next_ms;
	uint64_t dropped;
};

GANTRY_API void gantry_log_write(const struct gantry_inst *inst, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
GANTRY_API int gantry_log_allow(struct gantry_log_limit *limit, const struct gantry_inst *inst);

GANTRY_END
#endif
