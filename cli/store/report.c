/* SPDX-License-Identifier: Apache-2.0 */
/* Findings, as lines of text or of JSON on standard output. */
#include <json/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

enum { LINE_MAX_BYTES = 1 << 20 };

static void print_json(const char *kind, const char *file, const uint64_t *offset, const char *what)
{
	struct json_writer w;
	char *text;
	size_t size;
	json_writer_init(&w, LINE_MAX_BYTES, 0);
	json_open_object(&w);
	json_member_string(&w, "kind", kind);
	if (file)
		json_member_string(&w, "file", file);
	if (offset)
		json_member_int(&w, "offset", (int64_t)*offset);
	json_member_string(&w, "what", what);
	json_close_object(&w);
	if (json_writer_take(&w, &text, &size))
		return;
	puts(text);
	free(text);
}

/* Names come from files that may be damaged: nothing of them may drive a terminal. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

static void print(const char *kind, const char *file, const uint64_t *offset, const char *format,
		  va_list args)
{
	g_autofree char *what = g_strdup_vprintf(format, args);
	g_autofree char *name = g_strdup(file);
	make_plain(what);
	if (name)
		make_plain(name);
	cli_progress_end();
	if (cli_json())
		print_json(kind, name, offset, what);
	else if (offset)
		printf("%s:%llu: %s\n", name, (unsigned long long)*offset, what);
	else if (name)
		printf("%s: %s\n", name, what);
	else
		puts(what);
}

void report_add(struct report *report, enum finding kind, const char *file, uint64_t offset,
		const char *format, ...)
{
	va_list args;
	if (!report)
		return;
	report->found++;
	report->damage += kind == FINDING_DAMAGE;
	if (report->found > report->max || (report->damage_only && kind != FINDING_DAMAGE))
		return;
	va_start(args, format);
	print(kind == FINDING_DAMAGE ? "damage" : "behind", file, &offset, format, args);
	va_end(args);
}

void report_note(struct report *report, const char *file, const char *format, ...)
{
	va_list args;
	if (!report)
		return;
	if (++report->notes > report->max || report->damage_only)
		return;
	va_start(args, format);
	print("note", file, NULL, format, args);
	va_end(args);
}

void report_would(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print("would", NULL, NULL, format, args);
	va_end(args);
}

void report_unread(struct report *report, const char *file, int error)
{
	if (!report)
		return;
	report->unread = true;
	cli_error("cannot read %s: %s", file, g_strerror(-error));
}
