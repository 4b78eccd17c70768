/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's HA protocol without a controller, as DefaultHAConnection and DefaultHAClient speak it
 * (store 5.5.0). Big-endian, no hello, no type field.
 *   slave to master  int64: where the slave's log ends; the first one says where to begin
 *   master to slave  int64 offset, int32 size, and size bytes of the log from there; size 0 is a
 *                    heartbeat, whose offset is the next one */
#ifndef HA_WIRE_H
#define HA_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum {
	HA_REPORT_BYTES = 8,
	HA_HEAD_BYTES = 12,
	HA_BODY_MAX = 4 * 1024 * 1024 - HA_HEAD_BYTES, /* Java's slave has 4 MiB for both */
};

struct ha_head {
	int64_t offset;
	int32_t size;
};

static inline int64_t ha_wall_ms(void) /* since the epoch */
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void ha_put_report(uint8_t *to, uint64_t offset)
{
	offset = htobe64(offset);
	memcpy(to, &offset, sizeof(offset));
}

static inline int64_t ha_get_report(const uint8_t *from)
{
	uint64_t offset;

	memcpy(&offset, from, sizeof(offset));
	return (int64_t)be64toh(offset);
}

static inline void ha_put_head(uint8_t *to, uint64_t offset, uint32_t size)
{
	ha_put_report(to, offset);
	size = htobe32(size);
	memcpy(to + 8, &size, sizeof(size));
}

static inline struct ha_head ha_get_head(const uint8_t *from)
{
	struct ha_head head = {.offset = ha_get_report(from)};
	uint32_t size;

	memcpy(&size, from + 8, sizeof(size));
	head.size = (int32_t)be32toh(size);
	return head;
}

#endif
