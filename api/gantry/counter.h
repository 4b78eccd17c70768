/* SPDX-License-Identifier: Apache-2.0 */
/* Counters and gauges. A counter has one slot per event loop, so counting shares no cache line;
 * readers add the slots up. */
#ifndef GANTRY_COUNTER_H
#define GANTRY_COUNTER_H

#include <gantry/base.h>

GANTRY_BEGIN

struct gantry_counter;

/* name: [a-z0-9_.], unique within the instance; help: one line with the unit. The kernel frees it
 * with the instance. Control thread, in setup or start. */
GANTRY_API int gantry_counter_define(struct gantry_inst *inst, const char *name, const char *help,
				     struct gantry_counter **ret);

/* A value that is asked for when somebody looks; read runs on any thread. */
GANTRY_API int gantry_gauge_define(struct gantry_inst *inst, const char *name, const char *help,
				   int64_t (*read)(void *user), void *user);

/* Any thread; on an event loop without an atomic read-modify-write. */
GANTRY_API void gantry_counter_add(struct gantry_counter *counter, uint64_t n);
GANTRY_API uint64_t gantry_counter_read(const struct gantry_counter *counter);

/* Every counter and gauge of the process, in order of definition. Any thread. */
GANTRY_API void gantry_counter_each(const struct gantry_inst *inst,
				    void (*each)(const char *instance, const char *name,
						 const char *help, int64_t value, void *user),
				    void *user);

GANTRY_END
#endif
