/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that are part of the broker's tests. */
#ifndef BROKER_PLUGINS_H
#define BROKER_PLUGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../kernel/loader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The mmap engine with everything on a slow disk. */
const struct gantry_plugin *gantry_plugin_storage_lazy(void);

/* Of that engine: from here on there is no room for the writer; nothing that is read from the log
 * comes until this ends. Any thread. */
void lazy_engine_fill(bool full);
void lazy_engine_stick(bool stuck);
/* Nothing is cold; how often copy_hot was called, on all logs. Any thread. */
void lazy_engine_warm(bool warm);
uint64_t lazy_engine_copies(void);

extern const struct gk_static_plugin broker_plugins[];

#ifdef __cplusplus
}
#endif
#endif
