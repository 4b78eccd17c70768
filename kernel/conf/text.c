/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: a file's bytes as text, and sentences for errors. */
#include "conf/private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gk_conf_fail(struct gk_error *error, int code, const char *format, ...)
{
	va_list list;

	if (!error)
		return code;
	va_start(list, format);
	vsnprintf(error->text, sizeof(error->text), format, list);
	va_end(list);
	return code;
}

const char *gk_show(const char *value, struct gk_shown *to)
{
	const size_t most = 80;
	size_t size = strlen(value), n = 0;
	int cut = size > most;

	if (cut) {
		size = most;
		while (size && ((unsigned char)value[size] & 0xc0) == 0x80)
			size--; /* not inside of a character */
	}
	to->text[n++] = '"';
	for (size_t i = 0; i < size; i++)
		to->text[n++] = (unsigned char)value[i] < ' ' || value[i] == 0x7f ? '?' : value[i];
	snprintf(to->text + n, sizeof(to->text) - n, "%s", cut ? "...\"" : "\"");
	return to->text;
}

static int read_all(const char *path, char **ret, size_t *ret_size)
{
	FILE *from = fopen(path, "re");
	char *at;
	int code = 0;

	if (!from)
		return -errno;
	at = malloc(GK_FILE_MAX + 1);
	if (!at) {
		fclose(from);
		return -ENOMEM;
	}
	*ret_size = fread(at, 1, GK_FILE_MAX + 1, from);
	if (ferror(from))
		code = -errno;
	fclose(from);
	if (code)
		free(at);
	else
		*ret = at;
	return code;
}

int gk_text_read(const char *path, const char *shown, struct gk_text *ret, struct gk_error *error)
{
	char *bytes = NULL;
	size_t size = 0;
	int code = read_all(path, &bytes, &size);

	if (code)
		return gk_conf_fail(error, code, "%s: cannot be read: %s", shown, strerror(-code));
	code = gk_text_take(bytes, size, shown, ret, error);
	free(bytes);
	return code;
}

static unsigned line_of(const char *bytes, const char *at)
{
	unsigned line = 1;

	for (; bytes < at; bytes++)
		line += *bytes == '\n';
	return line;
}

static int has_high_bytes(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)bytes[i] & 0x80)
			return 1;
	return 0;
}

/* ISO-8859-1 to UTF-8. to has room for twice the size. */
static size_t widen(const char *bytes, size_t size, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < 0x80) {
			to[n++] = (char)c;
		} else {
			to[n++] = (char)(0xc0 | c >> 6);
			to[n++] = (char)(0x80 | (c & 0x3f));
		}
	}
	return n;
}

/* java.util.Properties reads ISO-8859-1, people write UTF-8. A file that is UTF-8 throughout is
 * taken as that, any other as ISO-8859-1; nothing is refused for its encoding. */
int gk_text_take(const char *bytes, size_t size, const char *shown, struct gk_text *ret,
		 struct gk_error *error)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct gk_text text = {0};
	const char *nul;

	if (size > GK_FILE_MAX)
		return gk_conf_fail(error, -EFBIG, "%s: longer than %d bytes", shown, GK_FILE_MAX);
	nul = size ? memchr(bytes, 0, size) : NULL;
	if (nul)
		return gk_conf_fail(error, -EINVAL, "%s:%u: a NUL byte; this is no text in UTF-8",
				    shown, line_of(bytes, nul));
	if (size >= 3 && memcmp(bytes, mark, 3) == 0) {
		text.bom = 1;
		bytes += 3;
		size -= 3;
	}
	text.at = malloc(2 * size + 1);
	if (!text.at)
		return gk_conf_fail(error, -ENOMEM, "%s: out of memory", shown);
	if (g_utf8_validate(bytes, (gssize)size, NULL)) {
		text.utf8 = has_high_bytes(bytes, size);
		text.size = size;
		memcpy(text.at, bytes, size);
	} else {
		text.size = widen(bytes, size, text.at);
	}
	text.at[text.size] = 0;
	*ret = text;
	return 0;
}
