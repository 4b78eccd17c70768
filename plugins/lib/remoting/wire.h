/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of frames, which are text to this library; private to it. */
#ifndef REMOTING_WIRE_H
#define REMOTING_WIRE_H

#include <message/bytes.h>

static inline uint16_t wire_u16(const void *at)
{
	return message_get16(at);
}

static inline uint32_t wire_u32(const void *at)
{
	return message_get32(at);
}

static inline char *wire_put_u16(char *to, uint16_t value)
{
	return (char *)message_put16((uint8_t *)to, value);
}

static inline char *wire_put_u32(char *to, uint32_t value)
{
	return (char *)message_put32((uint8_t *)to, value);
}

/* At most WIRE_DECIMAL_MAX bytes; returns the byte after. */
enum { WIRE_DECIMAL_MAX = 20 };
static inline char *wire_put_decimal(char *to, int64_t number)
{
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	char digits[WIRE_DECIMAL_MAX];
	char *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*to++ = '-';
	memcpy(to, at, (size_t)(digits + sizeof(digits) - at));
	return to + (digits + sizeof(digits) - at);
}

/* The 8 bytes before a header. */
static inline void wire_put_prefix(char *to, uint32_t serialization, size_t header, size_t body)
{
	to = wire_put_u32(to, (uint32_t)(4 + header + body));
	wire_put_u32(to, serialization << 24 | (uint32_t)header);
}

static inline char *wire_put_bytes(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}
#define WIRE_PUT(to, literal) wire_put_bytes(to, literal, sizeof(literal) - 1)

#endif
