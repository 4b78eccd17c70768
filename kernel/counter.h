/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and gauges, in order of definition. */
#ifndef GK_COUNTER_H
#define GK_COUNTER_H

#include "list.h"
#include <gantry/counter.h>
#include <pthread.h>

GANTRY_BEGIN

struct gk_counters {
	pthread_rwlock_t lock;
	struct gk_link list; /* lock */
};

void gk_counters_open(struct gk_counters *counters);
void gk_counters_close(struct gk_counters *counters);
/* Frees what inst defined. Returns how many. */
unsigned gk_counters_free(struct gk_counters *counters, const struct gantry_inst *inst);

GANTRY_END
#endif
