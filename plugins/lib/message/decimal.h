/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers in text that a peer or a file wrote. */
#ifndef MESSAGE_DECIMAL_H
#define MESSAGE_DECIMAL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_SAFE = 18 }; /* so many digits cannot overflow */

/* All of the text: digits, perhaps behind a -. -EINVAL: it is none; -ERANGE. ret is then
 * untouched. */
static inline int decimal_read(const char *at, size_t size, int64_t *ret)
{
	const char *end = at + size;
	bool negative = size && *at == '-', safe;
	uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;

	at += negative;
	if (at == end)
		return -EINVAL;
	safe = end - at <= DECIMAL_SAFE;
	for (; at < end; at++) {
		unsigned digit = (unsigned)(unsigned char)*at - '0';

		if (digit > 9)
			return -EINVAL;
		if (!safe && value > (limit - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	*ret = (int64_t)(negative ? 0 - value : value);
	return 0;
}

/* As Java's Long.parseLong(): a + may stand before the digits as well. */
static inline int decimal_parse(const char *at, size_t size, int64_t *ret)
{
	if (size > 1 && *at == '+' && at[1] != '-')
		return decimal_read(at + 1, size - 1, ret);
	return decimal_read(at, size, ret);
}

/* As Integer.parseInt(). */
static inline int decimal_parse_int32(const char *at, size_t size, int32_t *ret)
{
	int64_t value;
	int status = decimal_parse(at, size, &value);

	if (status)
		return status;
	if (value < INT32_MIN || value > INT32_MAX)
		return -ERANGE;
	*ret = (int32_t)value;
	return 0;
}

#endif
