/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's two message ids. The offset id names where a message stands: store host, port and
 * physical offset. The unique key is made by the producer, or by the broker for one that did not.
 */
#ifndef MESSAGE_ID_H
#define MESSAGE_ID_H

#include <gantry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MESSAGE_ID_MAX = 56 }; /* hex digits; 32 for IPv4. No NUL is written */

/* Upper-case hex of ip, port (4 bytes) and offset. Returns the digits written. */
uint32_t message_offset_id(const struct gantry_address *host, uint64_t offset,
			   char ret[MESSAGE_ID_MAX]);
/* -EINVAL: neither 32 nor 56 hex digits, or a port out of range. */
int message_offset_id_read(struct gantry_str id, struct gantry_address *ret_host,
			   uint64_t *ret_offset);

/* Makes unique keys: ip, pid (2 bytes), salt (4), ms since the month began (4), counter (2).
 * One owner at a time: each loop has its own, with a salt of its own. */
struct message_unique {
	char prefix[MESSAGE_ID_MAX];
	uint32_t prefix_size;
	uint32_t counter;
	int64_t month_ms, next_month_ms; /* the local month that now is in */
};

void message_unique_init(struct message_unique *unique, const struct gantry_address *host,
			 uint32_t pid, uint32_t salt);
/* Returns the digits written: 32 or 56. */
uint32_t message_unique_next(struct message_unique *unique, int64_t now_ms,
			     char ret[MESSAGE_ID_MAX]);

#ifdef __cplusplus
}
#endif
#endif
