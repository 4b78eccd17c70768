/* SPDX-License-Identifier: Apache-2.0 */
/* How many slaves have something, when two connections may be one slave's. */
#ifndef HA_ACKED_H
#define HA_ACKED_H

#include "ha.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ha_standing {    /* of a connection that has reported */
	uint64_t acked; /* log offset */
	uint32_t host;  /* the same number for all of one address */
	bool doubted; /* it may be a slave's that has another connection from this host, a newer one
		       */
};

/* Sorts all. count: 1 or more. */
void ha_count(struct ha_standing *all, unsigned known, unsigned count, struct ha_held *ret);

#ifdef __cplusplus
}
#endif
#endif
