/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a configuration. */
#include "call/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call/reply.h"

enum { TEXT_MAX = 4 * 1024 * 1024 };

static void add_text(struct call_lines *lines, const char *text)
{
	size_t size = strlen(text);

	if (lines->error)
		return;
	if (lines->size + size > lines->room) {
		size_t room = (lines->size + size) * 2;
		char *more = room > TEXT_MAX ? NULL : realloc(lines->text, room);

		if (!more) {
			lines->error = -ENOMEM;
			return;
		}
		lines->text = more;
		lines->room = room;
	}
	memcpy(lines->text + lines->size, text, size);
	lines->size += size;
}

void call_lines_add(const char *key, const char *value, void *user)
{
	add_text(user, key);
	add_text(user, "=");
	add_text(user, value);
	add_text(user, "\n");
}

int call_reply_lines(struct gantry_call *call, struct call_lines *lines)
{
	struct call_lines taken = *lines;

	*lines = (struct call_lines){0};
	if (taken.error) {
		free(taken.text);
		return call_no_memory(call);
	}
	return call_reply_body(call, taken.text ? taken.text : strdup(""), taken.size);
}
