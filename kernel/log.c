/* SPDX-License-Identifier: Apache-2.0 */
/* The log: formats one line and writes it to stderr in a single call, so that lines of several
 * threads do not mix. Nothing here allocates or fails. */
#include "log.h"
#include <gantry/op.h>
#include <gantry/plugin.h>

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SAME_LINE_MS = 1000 }; /* gantry_log_limited */

int gantry_log_max = GANTRY_LOG_INFO;
static int log_form = GK_LOG_TEXT; /* atomic */

/* ---- one line */

struct line {
	char *at;
	size_t used, max; /* max leaves room for what must still follow */
	int json;
};

static void put(struct line *line, const char *text, size_t size)
{
	if (size <= line->max - line->used) {
		memcpy(line->at + line->used, text, size);
		line->used += size;
	} else {
		line->max = line->used; /* never an escape or character in halves, never a gap */
	}
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* Control characters would forge lines or drive a terminal; JSON has its own needs besides. */
static void put_escaped(struct line *line, const char *text)
{
	const char *hex = line->json ? "\\u%04x" : "\\x%02x";
	char escape[8];
	while (*text) {
		gunichar c = g_utf8_get_char_validated(text, -1);
		int bad = c == (gunichar)-1 || c == (gunichar)-2;
		size_t size = bad ? 1 : (size_t)(g_utf8_next_char(text) - text);
		if (c == '\n')
			put_text(line, "\\n");
		else if (c == '\t')
			put_text(line, "\\t");
		else if (line->json && (c == '"' || c == '\\'))
			put(line, escape, (size_t)snprintf(escape, sizeof(escape), "\\%c", (int)c));
		else if (bad && line->json)
			put_text(line, "\\ufffd");
		else if (bad || c < 0x20 || (c >= 0x7f && c < 0xa0))
			put(line, escape,
			    (size_t)snprintf(escape, sizeof(escape), hex,
					     bad ? (unsigned char)*text : (unsigned)c));
		else
			put(line, text, size);
		text += size;
	}
}

static const char *level_name(int level)
{
	switch (level) {
	case GANTRY_LOG_ERROR:
		return "error";
	case GANTRY_LOG_WARNING:
		return "warning";
	case GANTRY_LOG_NOTICE:
		return "notice";
	case GANTRY_LOG_INFO:
		return "info";
	default:
		return "debug";
	}
}

static void put_time(struct line *line, int64_t now_us)
{
	time_t seconds = (time_t)(now_us / 1000000);
	struct tm tm;
	char text[64];
	gmtime_r(&seconds, &tm);
	size_t used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + used, sizeof(text) - used, ".%03dZ", (int)(now_us / 1000 % 1000));
	put_text(line, text);
}

static void put_json(struct line *line, int64_t now_us, int level, const char *role,
		     const char *name, const char *text)
{
	line->max -= strlen("\"}");
	put_text(line, "{\"time\":\"");
	put_time(line, now_us);
	put_text(line, "\",\"level\":\"");
	put_text(line, level_name(level));
	if (role) {
		put_text(line, "\",\"role\":\"");
		put_escaped(line, role);
	}
	put_text(line, "\",\"source\":\"");
	put_escaped(line, name ? name : "gantryd");
	put_text(line, "\",\"message\":\"");
	put_escaped(line, text);
	line->max = line->used + strlen("\"}");
	put_text(line, "\"}");
}

static void put_plain(struct line *line, const char *role, const char *name, const char *text)
{
	if (role) {
		put_escaped(line, role);
		put_text(line, "/");
	}
	put_escaped(line, name ? name : "gantryd");
	put_text(line, ": ");
	put_escaped(line, text);
}

size_t gk_log_format(char out[GK_LOG_LINE_MAX], enum gk_log_form form, int64_t now_us, int level,
		     const char *role, const char *name, const char *text)
{
	struct line line = {.at = out, .max = GK_LOG_LINE_MAX - 1, .json = form == GK_LOG_JSON};
	char head[16];
	if (form == GK_LOG_JSON) {
		put_json(&line, now_us, level, role, name, text);
	} else if (form == GK_LOG_JOURNAL) {
		snprintf(head, sizeof(head), "<%d>", level);
		put_text(&line, head);
		put_plain(&line, role, name, text);
	} else {
		put_time(&line, now_us);
		snprintf(head, sizeof(head), " %-7s ", level_name(level));
		put_text(&line, head);
		put_plain(&line, role, name, text);
	}
	out[line.used++] = '\n';
	return line.used;
}

/* ---- where lines go */

/* systemd names the device and inode of the stream that it gave us as stderr. */
static int stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat at;
	unsigned long long device, inode;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &at) == 0 && at.st_dev == device && at.st_ino == inode;
}

void gk_log_setup(int level, enum gk_log_form form)
{
	if (form == GK_LOG_TEXT && stderr_is_journal())
		form = GK_LOG_JOURNAL;
	__atomic_store_n(&log_form, form, __ATOMIC_RELAXED);
	__atomic_store_n(&gantry_log_max, level, __ATOMIC_RELAXED);
}

void gantry_log_write(const struct gantry_inst *inst, int level, const char *format, ...)
{
	int saved = errno; /* a caller may log and then return it */
	char text[GK_LOG_LINE_MAX], line[GK_LOG_LINE_MAX];
	struct timespec now;
	va_list args;
	va_start(args, format);
	errno = saved;
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		snprintf(text, sizeof(text), "a line that cannot be formatted: %s", format);
	va_end(args);
	clock_gettime(CLOCK_REALTIME, &now);
	size_t size = gk_log_format(line, __atomic_load_n(&log_form, __ATOMIC_RELAXED),
				    now.tv_sec * (int64_t)1000000 + now.tv_nsec / 1000, level,
				    inst ? gantry_inst_role(inst) : NULL,
				    inst ? gantry_inst_name(inst) : NULL, text);
	while (write(STDERR_FILENO, line, size) < 0 && errno == EINTR)
		;
	errno = saved;
}

int gantry_log_allow(struct gantry_log_limit *limit, const struct gantry_inst *inst)
{
	uint64_t now = gantry_clock_ms();
	uint64_t next = __atomic_load_n(&limit->next_ms, __ATOMIC_RELAXED);
	if (now < next || !__atomic_compare_exchange_n(&limit->next_ms, &next, now + SAME_LINE_MS,
						       0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		__atomic_add_fetch(&limit->dropped, 1, __ATOMIC_RELAXED);
		return 0;
	}
	uint64_t dropped = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
	if (dropped)
		gantry_log_write(inst, GANTRY_LOG_NOTICE, "%llu lines like the next were left out",
				 (unsigned long long)dropped);
	return 1;
}
