/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: logs that are written through memory mappings. Everything is lib/segments. */
#include "segments/keys.h"
#include "segments/segments.h"

#include <gantry/conf.h>

static const struct gantry_service offers[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT | GANTRY_STORAGE_AREA | GANTRY_STORAGE_MAPPED, "mmap",
	 &segments_ops},
	{0},
};

static const struct gantry_conf_item keys[] = {
	SEGMENTS_KEYS(struct segments_conf),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct segments_conf),
	.inst_size = sizeof(struct segments_engine),
	.setup = segments_setup,
	.stop = segments_stop,
	.free = segments_cleanup,
};

GANTRY_PLUGIN(storage_mmap, "storage-mmap", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "logs in memory-mapped files, as the Java broker lays them out",
	      .offers = offers, .keys = keys, .life = &life)
