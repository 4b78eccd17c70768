/* SPDX-License-Identifier: Apache-2.0 */
#include "double_impl.h"

#include <endian.h>
#include <string.h>

const struct gantry_need double_needs[] = {
	{GANTRY_STORAGE, GANTRY_STORAGE_CUT, sizeof(struct gantry_storage_ops), 0, NULL},
	{0},
};

static int run_cut(struct gantry_work *work)
{
	struct double_cut *cut = work->user;

	return door_cut(cut->door, cut->at);
}

int double_cut(struct gantry_inst *inst, struct double_cut *cut, struct door *door, uint64_t at,
	       struct gantry_op *op)
{
	cut->door = door;
	cut->at = at;
	cut->work.run = run_cut;
	cut->work.user = cut;
	return gantry_work(inst, &cut->work, op);
}

static void put32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static void put64(uint8_t *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof(value));
}

void double_frame(void *user, uint8_t *to, uint64_t at, uint32_t record_bytes)
{
	struct double_frames *frames = user;

	memset(to, 0, 48);
	put32(to, 1);
	put32(to + 4, 48 + record_bytes);
	put64(to + 8, frames->index++);
	put64(to + 16, frames->term);
	put64(to + 24, at);
	put32(to + 44, record_bytes);
}

void double_frames_resume(struct double_frames *frames, const struct door *door, uint64_t first,
			  uint64_t end)
{
	const struct gantry_log_ops *ops;
	struct gantry_log *log = door_log(door, &ops);
	struct gantry_bounds bounds;
	uint8_t head[48];

	ops->bounds(log, &bounds);
	frames->index = 0;
	while (first < end && ops->copy(log, first, head, sizeof(head)) >= 8) {
		uint64_t left = bounds.segment_bytes - first % bounds.segment_bytes, record = 0;

		switch (door_framed.look(head, sizeof(head), first, left, &record)) {
		case DOOR_FRAME:
			++frames->index;
			first += 48 + record;
			break;
		case DOOR_PAD:
			first += left;
			break;
		case DOOR_RECORD:
			return;
		}
	}
}
