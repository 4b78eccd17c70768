/* SPDX-License-Identifier: Apache-2.0 */
/* The other nodes of the log, for those who ask the broker. */
#include "store/internal.h"

void store_follow(struct store *store, struct gantry_str address)
{
	if (GANTRY_HAS(store->door, follow))
		store->door->follow(store->door_inst, address);
}

unsigned store_peers(const struct store *store, struct gantry_replica *ret, unsigned max)
{
	unsigned count = 0;

	if (GANTRY_HAS(store->door, peers))
		count = store->door->peers(store->door_inst, ret, max);
	return count < max ? count : max;
}
