/* SPDX-License-Identifier: Apache-2.0 */
/* How often a connection is looked after, on either side. */
#ifndef HA_TICK_H
#define HA_TICK_H

#include <stdint.h>

/* Often enough for heartbeats, housekeeping and a second of flow control. All in ms. */
static inline uint64_t ha_tick_ms(int64_t heartbeat_ms, int64_t housekeeping_ms)
{
	int64_t ms = 100;

	if (heartbeat_ms / 4 < ms)
		ms = heartbeat_ms / 4;
	if (housekeeping_ms / 4 < ms)
		ms = housekeeping_ms / 4;
	return ms < 2 ? 2 : (uint64_t)ms;
}

#endif
