/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpoint file. */
#include "store/checkpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

enum { DAY = 24 * 3600 }; /* seconds by which clocks may differ */

/* A time that is still to come would vouch for queues that were never written. */
static bool is_believable(const struct message_checkpoint *says)
{
	const int64_t latest_ms = (int64_t)(time(NULL) + DAY) * 1000;

	return says->physic_ms >= 0 && says->physic_ms <= latest_ms && says->logics_ms >= 0 &&
	       says->logics_ms <= latest_ms;
}

int checkpoint_open(struct checkpoint *point, const struct gantry_area_ops *ops,
		    struct gantry_inst *engine, const char *path)
{
	uint8_t bytes[MESSAGE_CHECKPOINT_USED];
	int made, status;

	*point = (struct checkpoint){.ops = ops};
	status = ops->open(engine, path, MESSAGE_CHECKPOINT_FILE, &point->area, &made);
	if (status)
		return status;
	status = ops->read(point->area, 0, bytes, sizeof(bytes));
	if (status)
		return status;
	message_checkpoint_read(bytes, &point->says);
	if (is_believable(&point->says))
		return 0;
	checkpoint_close(point);
	return -EUCLEAN;
}

int checkpoint_write(struct checkpoint *point)
{
	uint8_t bytes[MESSAGE_CHECKPOINT_USED];

	message_checkpoint_write(bytes, &point->says);
	return point->ops->write(point->area, 0, bytes, sizeof(bytes));
}

int checkpoint_sync(struct checkpoint *point, struct gantry_op *op)
{
	return point->ops->sync(point->area, op);
}

void checkpoint_close(struct checkpoint *point)
{
	if (point->area)
		point->ops->close(point->area);
	point->area = NULL;
}
