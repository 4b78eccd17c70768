/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes of JSON strings, both ways. Written as fastjson writes them: short forms where there
 * are, other control characters as \u00xx, everything else as it is. */
#include "text.h"

#include <errno.h>
#include <string.h>

/* ---- reading */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits of a \u escape, or -1. */
static int32_t hex4(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static char *put_utf8(char *to, uint32_t point)
{
	if (point < 0x80) {
		*to++ = (char)point;
	} else if (point < 0x800) {
		*to++ = (char)(0xc0 | point >> 6);
		*to++ = (char)(0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		*to++ = (char)(0xe0 | point >> 12);
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	} else {
		*to++ = (char)(0xf0 | point >> 18);
		*to++ = (char)(0x80 | (point >> 12 & 0x3f));
		*to++ = (char)(0x80 | (point >> 6 & 0x3f));
		*to++ = (char)(0x80 | (point & 0x3f));
	}
	return to;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The code point of the \u escape whose digits are at *at, which moves past it; -1: broken. */
static int32_t take_point(const char **at, const char *end)
{
	int32_t unit = hex4(*at, end), low;

	if (unit < 0)
		return -1;
	*at += 4;
	if (is_low_surrogate(unit))
		return '?';
	if (!is_high_surrogate(unit))
		return unit;
	if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return '?';
	low = hex4(*at + 2, end);
	if (!is_low_surrogate(low))
		return '?';
	*at += 6;
	return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* What a one-letter escape stands for, or -1. */
static int short_escape(char letter)
{
	switch (letter) {
	case '"':
	case '\'': /* only in single-quoted texts: in others jsmn has refused it */
	case '\\':
	case '/':
		return letter;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return -1;
	}
}

/* The escape whose backslash is at *at, which moves past it; -1: broken. */
static int32_t take_escape(const char **at, const char *end)
{
	char letter;

	if (end - *at < 2)
		return -1;
	letter = (*at)[1];
	*at += 2;
	return letter == 'u' ? take_point(at, end) : short_escape(letter);
}

int64_t json_unescape(const char *from, size_t size, char *to)
{
	const char *end = from + size;
	char *out = to;

	while (from < end) {
		const char *plain = from;
		int32_t point;

		from = memchr(plain, '\\', (size_t)(end - plain));
		if (!from)
			from = end;
		memmove(out, plain, (size_t)(from - plain));
		out += from - plain;
		if (from == end)
			break;
		point = take_escape(&from, end);
		if (point < 0)
			return -EINVAL;
		out = put_utf8(out, (uint32_t)point);
	}
	return out - to;
}

/* The UTF-8 of the character at *at, which moves past it: the bytes put into utf8, or -1. */
static int take_char(const char **at, const char *end, char utf8[4])
{
	int32_t point;

	if (**at != '\\') {
		utf8[0] = *(*at)++;
		return 1;
	}
	point = take_escape(at, end);
	return point < 0 ? -1 : (int)(put_utf8(utf8, (uint32_t)point) - utf8);
}

int64_t json_unescaped_size(const char *from, size_t size)
{
	const char *end = from + size;
	int64_t total = 0;
	char utf8[4];

	while (from < end) {
		int bytes = take_char(&from, end, utf8);

		if (bytes < 0)
			return -EINVAL;
		total += bytes;
	}
	return total;
}

bool json_unescaped_equals(const char *from, size_t size, struct gantry_str text)
{
	const char *end = from + size;
	char utf8[4];

	while (from < end) {
		int bytes = take_char(&from, end, utf8);

		if (bytes < 0 || text.size < (size_t)bytes || memcmp(text.at, utf8, (size_t)bytes))
			return false;
		text.at += bytes;
		text.size -= (size_t)bytes;
	}
	return text.size == 0;
}

/* ---- writing */

/* The letter of a short escape, or 0. */
static char escape_letter(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static char *put_unit(char *to, uint32_t unit, const char *digits)
{
	*to++ = '\\';
	*to++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*to++ = digits[unit >> shift & 15];
	return to;
}

/* The bytes that follow a UTF-8 lead byte and the bits that it holds itself; -1: no lead byte. */
static int utf8_follow(unsigned char lead, uint32_t *bits)
{
	if (lead >= 0xc2 && lead < 0xe0)
		return *bits = lead & 0x1f, 1;
	if (lead >= 0xe0 && lead < 0xf0)
		return *bits = lead & 0x0f, 2;
	if (lead >= 0xf0 && lead < 0xf5)
		return *bits = lead & 0x07, 3;
	return -1;
}

/* The code point at *at, which moves past it; U+FFFD for a byte that is not UTF-8. */
static uint32_t take_utf8(const char **at, const char *end)
{
	uint32_t point = 0;
	int follow = utf8_follow((unsigned char)**at, &point);

	if (follow < 0 || end - *at <= follow) {
		++*at;
		return 0xfffd;
	}
	for (int i = 1; i <= follow; i++) {
		unsigned char c = (unsigned char)(*at)[i];

		if ((c & 0xc0) != 0x80) {
			++*at;
			return 0xfffd;
		}
		point = point << 6 | (c & 0x3f);
	}
	*at += follow + 1;
	return point;
}

static char *put_ascii(char *to, uint32_t point)
{
	static const char upper[] = "0123456789ABCDEF";

	if (point < 0x10000)
		return put_unit(to, point, upper);
	point -= 0x10000;
	to = put_unit(to, 0xd800 + (point >> 10), upper);
	return put_unit(to, 0xdc00 + (point & 0x3ff), upper);
}

/* Writes one character of the text at *at, which moves past it: at most 12 bytes. */
static char *put_escaped(char *to, const char **at, const char *end, bool ascii)
{
	unsigned char c = (unsigned char)**at;
	char letter = escape_letter(c);

	if (ascii && c == '/')
		letter = '/';
	if (ascii && c >= 0x80)
		return put_ascii(to, take_utf8(at, end));
	++*at;
	if (letter) {
		*to++ = '\\';
		*to++ = letter;
		return to;
	}
	if (c < 0x20)
		return put_unit(to, c, "0123456789abcdef");
	*to++ = (char)c;
	return to;
}

/* Where the first character stands that is not written as it is. Headers' texts hardly have any. */
static const char *plain_end(const char *at, const char *end, bool ascii)
{
	for (; at < end; at++) {
		unsigned char c = (unsigned char)*at;

		if (c < 0x20 || c == '"' || c == '\\' || (ascii && (c == '/' || c >= 0x80)))
			break;
	}
	return at;
}

char *json_escape(char *to, struct gantry_str text, bool ascii)
{
	const char *at = text.at, *end = at + text.size;

	while (at < end) {
		const char *stop = plain_end(at, end, ascii);

		memcpy(to, at, (size_t)(stop - at));
		to += stop - at;
		at = stop;
		if (at < end)
			to = put_escaped(to, &at, end, ascii);
	}
	return to;
}

size_t json_escaped_size(struct gantry_str text, bool ascii)
{
	const char *at = text.at, *end = at + text.size;
	size_t size = 0;

	while (at < end) {
		const char *stop = plain_end(at, end, ascii);
		char one[12];

		size += (size_t)(stop - at);
		at = stop;
		if (at < end)
			size += (size_t)(put_escaped(one, &at, end, ascii) - one);
	}
	return size;
}

size_t json_quoted_size(struct gantry_str text)
{
	return json_escaped_size(text, false) + 2;
}

char *json_quote(char *to, struct gantry_str text)
{
	*to++ = '"';
	to = json_escape(to, text, false);
	*to++ = '"';
	return to;
}
