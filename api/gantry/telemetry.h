/* SPDX-License-Identifier: Apache-2.0 */
/* Telemetry: plugins that show counters (counter.h) and events (bus.h) to the outside. They listen
 * on the bus and read counters at their own pace; nothing on a message's path calls them. */
#ifndef GANTRY_TELEMETRY_H
#define GANTRY_TELEMETRY_H

#include <gantry/base.h>

GANTRY_BEGIN

/* the vtable of a GANTRY_TELEMETRY service */
struct gantry_telemetry_ops {
	uint32_t size;
	uint32_t reserved;
	/* Exports now what is due later; for shutdown and tests. Control thread. */
	int (*flush)(struct gantry_inst *);
};

GANTRY_END
#endif
