/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian integers at any address, as every file and frame of RocketMQ has them. */
#ifndef MESSAGE_BYTES_H
#define MESSAGE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t message_get16(const uint8_t *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return __builtin_bswap16(value);
}

static inline uint32_t message_get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return __builtin_bswap32(value);
}

static inline uint64_t message_get64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return __builtin_bswap64(value);
}

static inline uint8_t *message_put16(uint8_t *to, uint16_t value)
{
	value = __builtin_bswap16(value);
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static inline uint8_t *message_put32(uint8_t *to, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

static inline uint8_t *message_put64(uint8_t *to, uint64_t value)
{
	value = __builtin_bswap64(value);
	memcpy(to, &value, sizeof(value));
	return to + sizeof(value);
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "these helpers swap: they are for little-endian machines"
#endif

#endif
