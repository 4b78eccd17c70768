/* SPDX-License-Identifier: Apache-2.0 */
/* Java's Long.parseLong(), Double.valueOf() and Double.toString(). */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whole numbers */

/* The zeros of Unicode's decimal digits that are one UTF-16 unit; nine digits follow each. Java
 * takes them all for digits. */
static const uint16_t zeros[] = {
	0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6,
	0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090,
	0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
	0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
};

static int digit_of(uint32_t unit)
{
	if (unit < 0x80)
		return unit >= '0' && unit <= '9' ? (int)unit - '0' : -1;
	for (unsigned i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		if (unit >= zeros[i] && unit < zeros[i] + 10u)
			return (int)(unit - zeros[i]);
	return -1;
}

/* Takes a digit of one to three bytes off the text; -1: it begins with none. */
static int next_digit(struct gantry_str *text)
{
	const uint8_t *at = (const uint8_t *)text->at;
	uint32_t unit = at[0], used = 1;
	int digit;

	if (unit >= 0xe0 && unit < 0xf0 && text->size >= 3) {
		unit = (unit & 15) << 12 | (at[1] & 63u) << 6 | (at[2] & 63u);
		used = 3;
	} else if (unit >= 0xc0 && unit < 0xe0 && text->size >= 2) {
		unit = (unit & 31) << 6 | (at[1] & 63u);
		used = 2;
	}
	digit = digit_of(unit);
	text->at += used;
	text->size -= used;
	return digit;
}

bool java_integer(struct gantry_str text, int64_t least, int64_t most, int64_t *ret)
{
	bool minus = text.size && text.at[0] == '-';
	int64_t sum = 0; /* kept negative: there is one more of these */

	if (text.size && (minus || text.at[0] == '+')) {
		text.at++;
		text.size--;
	}
	if (!text.size)
		return false;
	while (text.size) {
		int digit = next_digit(&text);

		if (digit < 0 || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_sub_overflow(sum, digit, &sum))
			return false;
	}
	if (!minus && __builtin_sub_overflow(0, sum, &sum))
		return false;
	if (sum < least || sum > most)
		return false;
	*ret = sum;
	return true;
}

/* ---- reading doubles */

enum {
	DIGITS_MAX = 800, /* more can not change a double, but for being there at all */
	EXPONENT_MAX = 1000000,
};

struct number {
	char digits[DIGITS_MAX + 32];
	uint32_t count;   /* in digits */
	int64_t exponent; /* of the base for decimal digits, of two for others */
	bool hex, any, more, minus;
};

static bool is_digit(char c, bool hex)
{
	return (c >= '0' && c <= '9') ||
	       (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

static void take_digit(struct number *number, char c, bool fraction)
{
	int64_t place = number->hex ? 4 : 1;

	number->any = true;
	if (number->count == DIGITS_MAX) {
		number->more |= c != '0';
		number->exponent += fraction ? 0 : place;
		return;
	}
	if (number->count || c != '0')
		number->digits[number->count++] = c;
	number->exponent -= fraction ? place : 0;
}

static const char *take_digits(struct number *number, const char *at, const char *end)
{
	bool fraction = false;

	for (; at < end; at++) {
		if (*at == '.' && !fraction)
			fraction = true;
		else if (is_digit(*at, number->hex))
			take_digit(number, *at, fraction);
		else
			break;
	}
	return at;
}

/* From the letter on; NULL: it is no exponent. */
static const char *take_exponent(struct number *number, const char *at, const char *end)
{
	bool minus = false;
	int64_t sum = 0;

	at++;
	if (at < end && (*at == '-' || *at == '+'))
		minus = *at++ == '-';
	if (at == end || !is_digit(*at, false))
		return NULL;
	for (; at < end && is_digit(*at, false); at++)
		sum = sum > EXPONENT_MAX ? sum : sum * 10 + (*at - '0');
	number->exponent += minus ? -sum : sum;
	return at;
}

/* Few digits and a small power of ten are doubles themselves, so that one operation on them rounds
 * as it must. False: it is not so simple. */
static bool is_simple(const struct number *number, double *ret)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
					1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	int64_t sum = 0;

	if (number->hex || number->count > 15 || number->exponent > 22 || number->exponent < -22)
		return false;
	for (uint32_t i = 0; i < number->count; i++)
		sum = sum * 10 + (number->digits[i] - '0');
	if (number->exponent < 0)
		*ret = (double)sum / powers[-number->exponent];
	else
		*ret = (double)sum * powers[number->exponent];
	return true;
}

static double value_of(struct number *number)
{
	char text[sizeof(number->digits) + 32];
	int64_t exponent = number->exponent;
	double simple;

	if (!number->count)
		return 0.0;
	if (is_simple(number, &simple))
		return simple;
	if (number->more) {
		number->digits[number->count++] = '1';
		exponent -= number->hex ? 4 : 1;
	}
	snprintf(text, sizeof(text), "%s%.*s%c%lld", number->hex ? "0x" : "", (int)number->count,
		 number->digits, number->hex ? 'p' : 'e', (long long)exponent);
	return strtod(text, NULL);
}

static bool starts(const char *at, const char *end, const char *word)
{
	return (size_t)(end - at) == strlen(word) && memcmp(at, word, strlen(word)) == 0;
}

static bool parse_double(struct number *number, const char *at, const char *end, double *ret)
{
	if (end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		number->hex = true;
		at += 2;
	}
	at = take_digits(number, at, end);
	if (!number->any)
		return false;
	if (at < end && (*at | 32) == (number->hex ? 'p' : 'e')) {
		at = take_exponent(number, at, end);
		if (!at)
			return false;
	} else if (number->hex) {
		return false;
	}
	if (at < end && ((*at | 32) == 'f' || (*at | 32) == 'd'))
		at++;
	if (at != end)
		return false;
	*ret = value_of(number);
	return true;
}

bool java_double(struct gantry_str text, double *ret)
{
	const char *at = text.at, *end = text.at + text.size;
	struct number number;
	double value;

	number.count = 0;
	number.exponent = 0;
	number.hex = number.any = number.more = number.minus = false;
	while (at < end && (uint8_t)*at <= ' ')
		at++;
	while (at < end && (uint8_t)end[-1] <= ' ')
		end--;
	if (at < end && (*at == '-' || *at == '+'))
		number.minus = *at++ == '-';
	if (starts(at, end, "NaN"))
		value = NAN;
	else if (starts(at, end, "Infinity"))
		value = INFINITY;
	else if (!parse_double(&number, at, end, &value))
		return false;
	*ret = number.minus ? -value : value;
	return true;
}

int java_double_compare(double left, double right)
{
	if (left < right)
		return -1;
	if (left > right)
		return 1;
	if (isnan(left) || isnan(right))
		return isnan(left) - isnan(right);
	return !!signbit(right) - !!signbit(left);
}

/* ---- printing doubles */

/* The fewest digits that read back as the number; returns its decimal exponent. */
static int shortest(double number, char digits[24])
{
	char text[40];
	int exponent;
	size_t size = 0;

	for (int more = 0; more <= 16; more++) {
		snprintf(text, sizeof(text), "%.*e", more, number);
		if (strtod(text, NULL) == number)
			break;
	}
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	for (const char *at = text; *at != 'e'; at++)
		if (*at != '.')
			digits[size++] = *at;
	digits[size] = 0;
	return exponent;
}

static void put_plain(const char *digits, int exponent, const char *sign, char *to)
{
	int size = (int)strlen(digits);
	int whole = exponent + 1;

	if (whole <= 0)
		snprintf(to, JAVA_DOUBLE_TEXT, "%s0.%.*s%s", sign, -whole, "0000", digits);
	else if (whole >= size)
		snprintf(to, JAVA_DOUBLE_TEXT, "%s%s%.*s.0", sign, digits, whole - size, "0000000");
	else
		snprintf(to, JAVA_DOUBLE_TEXT, "%s%.*s.%s", sign, whole, digits, digits + whole);
}

void java_double_text(double number, char to[JAVA_DOUBLE_TEXT])
{
	const char *sign = signbit(number) ? "-" : "";
	double size = fabs(number);
	char digits[24];
	int exponent = shortest(size, digits);

	if (size == 0 || (size >= 1e-3 && size < 1e7))
		put_plain(digits, exponent, sign, to);
	else
		snprintf(to, JAVA_DOUBLE_TEXT, "%s%c.%sE%d", sign, digits[0],
			 digits[1] ? digits + 1 : "0", exponent);
}
