/* SPDX-License-Identifier: Apache-2.0 */
/* The store's checkpoint file, an area of the storage service. */
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include <gantry/storage.h>

#include "message/checkpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

struct checkpoint {
	const struct gantry_area_ops *ops;
	struct gantry_area *area;
	struct message_checkpoint says;
};

/* Opens or makes it; -EUCLEAN: what is there cannot be one. Blocking. */
int checkpoint_open(struct checkpoint *point, const struct gantry_area_ops *ops,
		    struct gantry_inst *engine, const char *path);
int checkpoint_write(struct checkpoint *point); /* not yet synced */
int checkpoint_sync(struct checkpoint *point, struct gantry_op *op);
void checkpoint_close(struct checkpoint *point);

#ifdef __cplusplus
}
#endif
#endif
