/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: under SYNC_FLUSH, and with the transient pool, what was sent is written and synced by
 * io_uring. Everything else, and all of it if the kernel refuses io_uring, is as with storage-mmap:
 * lib/segments. */
#include <gantry/conf.h>
#include <gantry/log.h>
#include <string.h>

#include "segments/keys.h"
#include "uring.h"

enum { ASYNC_FLUSH, SYNC_FLUSH };

struct io_uring_conf {
	struct segments_conf segments; /* first: lib/segments reads it */
	int32_t flush_disk_type;
};

/* Whoever writes by way of memory of his own must not be believed before the disk has it: without
 * SYNC_FLUSH only the transient pool may, which says so. */
static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	const struct io_uring_conf *conf = gantry_conf(inst);
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
	if (conf->flush_disk_type == SYNC_FLUSH)
		engine->staged = true;
	return GANTRY_OK;
}

static const struct gantry_service offers[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT | GANTRY_STORAGE_AREA | GANTRY_STORAGE_MAPPED,
	 "io_uring", &segments_ops},
	{0},
};

static const char *const flush_types[] = {"ASYNC_FLUSH", "SYNC_FLUSH", NULL};

static const struct gantry_conf_item keys[] = {
	SEGMENTS_KEYS(struct segments_conf),
	GANTRY_KEY(ENUM, struct io_uring_conf, flush_disk_type, "flushDiskType",
		   .choices = flush_types, .dflt = "ASYNC_FLUSH",
		   .help = "SYNC_FLUSH: io_uring writes and syncs what was sent, in one go"),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct io_uring_conf),
	.inst_size = sizeof(struct segments_engine),
	.setup = segments_setup,
	.start = start,
	.stop = segments_stop,
	.free = segments_cleanup,
};

GANTRY_PLUGIN(storage_io_uring, "storage-io-uring", .version = "0.1.0", .license = "Apache-2.0",
	      .summary = "logs that io_uring writes and syncs, in the files of storage-mmap",
	      .offers = offers, .keys = keys, .life = &life)
