/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: under SYNC_FLUSH, and with the transient pool, what was sent is written and synced by
 * io_uring. Everything else, and all of it if the kernel refuses io_uring, is as with storage-mmap:
 * lib/segments. */
#include <gantry/conf.h>
#include <gantry/log.h>
#include <string.h>

#include "segments/keys.h"
#include "uring.h"

static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	struct segments_engine *engine = gantry_data(inst);
	int rc = uring_probe();

	(void)op;
	if (rc < 0) {
		gantry_log(inst, WARNING,
			   "the kernel refuses io_uring (%s): the same files are written as "
			   "storage-mmap does",
			   strerror(-rc));
		return GANTRY_OK;
	}
	engine->flusher = &uring_flusher;
	return GANTRY_OK;
}

static const struct gantry_service offers[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT | GANTRY_STORAGE_AREA | GANTRY_STORAGE_MAPPED,
	 "io_uring", &segments_ops},
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
	.start = start,
	.stop = segments_stop,
	.free = segments_cleanup,
};

GANTRY_PLUGIN(storage_io_uring, "storage-io-uring", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "logs that io_uring writes and syncs, in the files of storage-mmap",
	      .offers = offers, .keys = keys, .life = &life)
