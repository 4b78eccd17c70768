/* SPDX-License-Identifier: Apache-2.0 */
/* Where a consumer begins that has no offset. */
#include "offsets/young.h"

#include <unistd.h>

#include "store/store.h"

bool young_queue(struct broker *broker, struct queue *queue)
{
	struct queue_unit unit;
	int64_t min, max, memory;
	uint64_t first, end;

	if (!queue_is_open(queue))
		return false;
	queue_bounds(queue, &min, &max);
	if (min > 0 || max <= 0 || queue_read(queue, 0, 1, &unit) != 1)
		return false;
	store_bounds(broker->store, &first, &end);
	memory = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / 100 *
		 (int64_t)broker_memory_percent(broker);
	return (int64_t)end - unit.physical_offset <= memory;
}
