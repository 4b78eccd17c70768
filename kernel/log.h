/* SPDX-License-Identifier: Apache-2.0 */
/* How lines reach stderr. The level and the form are the process's, since stderr is: the only
 * state in libgantry that no kernel owns. */
#ifndef GK_LOG_H
#define GK_LOG_H

#include <gantry/log.h>

GANTRY_BEGIN

enum gk_log_form {
	GK_LOG_TEXT,    /* 2026-01-31T12:00:00.123Z info  broker/storage-mmap: ... */
	GK_LOG_JSON,    /* one object a line */
	GK_LOG_JOURNAL, /* <6>broker/storage-mmap: ...; the journal adds the time */
};

enum { GK_LOG_LINE_MAX = 4096 }; /* bytes with the newline */

/* Any thread. TEXT becomes JOURNAL when stderr is a stream of the journal's. */
void gk_log_setup(int level, enum gk_log_form form);

/* One line with its newline, as it goes to stderr; returns its bytes, at most GK_LOG_LINE_MAX.
 * role and name may be NULL; now_us: microseconds since 1970. Exposed for tests. */
size_t gk_log_format(char line[GK_LOG_LINE_MAX], enum gk_log_form form, int64_t now_us, int level,
		     const char *role, const char *name, const char *text);

GANTRY_END
#endif
