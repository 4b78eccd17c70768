/* SPDX-License-Identifier: Apache-2.0 */
/* What has to be so before load makes sense: the topic is there, the broker accepts messages, a
 * consumer group is known, queues have something to read. */
#ifndef CLI_BENCH_PREPARE_H
#define CLI_BENCH_PREPARE_H

#include "../route.h"
#include "load.h"

GANTRY_BEGIN

/* Fills the load's targets and queues from the route, which must outlive it, and makes the brokers
 * ready. Returns 0 or an exit code, after saying why. load_unprepare() frees what it made. */
int load_prepare(struct load *load, const struct route *route);
void load_unprepare(struct load *load);

GANTRY_END
#endif
