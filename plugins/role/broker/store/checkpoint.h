/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's checkpoint file: how far the log, the queues and the index were safe on disk. */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include <gantry/storage.h>

#ifdef __cplusplus
extern "C" {
#endif

struct checkpoint {
	const struct gantry_area_ops *ops;
	struct gantry_area *area;
	int64_t physic_ms, logics_ms, index_ms; /* store times */
	int64_t master_flushed, confirm;        /* log offsets; confirm: where a record begins */
};

/* Opens or makes it. Blocking. */
int checkpoint_open(struct checkpoint *point, const struct gantry_area_ops *ops,
		    struct gantry_inst *engine, const char *path);
int checkpoint_write(struct checkpoint *point); /* not yet synced */
int checkpoint_sync(struct checkpoint *point, struct gantry_op *op);
/* Everything stored until this time is safe in log and queues; 0: nothing is known to be. */
int64_t checkpoint_safe_ms(const struct checkpoint *point);
void checkpoint_close(struct checkpoint *point);

#ifdef __cplusplus
}
#endif
#endif
