/* SPDX-License-Identifier: Apache-2.0 */
/* The checkpoint file. */
#include "store/checkpoint.h"

#include <errno.h>

#include "message/bytes.h"

enum { FILE_BYTES = 4096, USED_BYTES = 40, SLACK_MS = 3000 };

int checkpoint_open(struct checkpoint *point, const struct gantry_area_ops *ops,
		    struct gantry_inst *engine, const char *path)
{
	uint8_t bytes[USED_BYTES];
	int made, status;

	*point = (struct checkpoint){.ops = ops};
	status = ops->open(engine, path, FILE_BYTES, &point->area, &made);
	if (status)
		return status;
	status = ops->read(point->area, 0, bytes, sizeof(bytes));
	if (status)
		return status;
	point->physic_ms = (int64_t)message_get64(bytes);
	point->logics_ms = (int64_t)message_get64(bytes + 8);
	point->index_ms = (int64_t)message_get64(bytes + 16);
	point->master_flushed = (int64_t)message_get64(bytes + 24);
	point->confirm = (int64_t)message_get64(bytes + 32);
	return 0;
}

int checkpoint_write(struct checkpoint *point)
{
	uint8_t bytes[USED_BYTES];
	uint8_t *to = bytes;

	to = message_put64(to, (uint64_t)point->physic_ms);
	to = message_put64(to, (uint64_t)point->logics_ms);
	to = message_put64(to, (uint64_t)point->index_ms);
	to = message_put64(to, (uint64_t)point->master_flushed);
	message_put64(to, (uint64_t)point->confirm);
	return point->ops->write(point->area, 0, bytes, sizeof(bytes));
}

int checkpoint_sync(struct checkpoint *point, struct gantry_op *op)
{
	return point->ops->sync(point->area, op);
}

int64_t checkpoint_safe_ms(const struct checkpoint *point)
{
	int64_t ms = point->physic_ms < point->logics_ms ? point->physic_ms : point->logics_ms;

	return ms > SLACK_MS ? ms - SLACK_MS : 0;
}

void checkpoint_close(struct checkpoint *point)
{
	if (point->area)
		point->ops->close(point->area);
	point->area = NULL;
}
