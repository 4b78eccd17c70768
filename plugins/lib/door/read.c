/* SPDX-License-Identifier: Apache-2.0 */
/* Reading past frames and pads. */
#include "door_impl.h"

#include <errno.h>

/* What a slice begins with. ret_pass: bytes that are no record's; ret_record: a frame's. */
static enum door_kind look_at(const struct door *door, const struct gantry_slice *slice,
			      uint64_t *ret_pass, uint64_t *ret_record)
{
	uint64_t left = door->segment_bytes - slice->offset % door->segment_bytes;
	enum door_kind kind = DOOR_RECORD;

	if (left < DOOR_SPARE)
		kind = DOOR_PAD;
	else if (slice->size >= DOOR_SPARE)
		kind = door->rules.format->look(slice->bytes, slice->size, slice->offset, left,
						ret_record);
	*ret_pass = kind == DOOR_PAD ? left : door->rules.format->frame_bytes;
	return kind;
}

/* Leaves the record alone in the slice. false: no byte of it is there yet. */
static bool strip(struct gantry_slice *slice, uint64_t frame, uint64_t record, uint64_t max)
{
	if (slice->size <= frame) {
		gantry_slice_release(slice);
		return false;
	}
	slice->bytes += frame;
	slice->offset += frame;
	slice->size -= frame;
	if (slice->size > record)
		slice->size = record;
	if (slice->size > max)
		slice->size = max;
	return true;
}

/* How the log is read: op of a call that may be pending, or in the caller's thread. */
struct how {
	struct gantry_op *op;
	bool blocks;
};

static int read_log(struct door *door, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    const struct how *how)
{
	return how->blocks ? door->ops->fetch(door->log, at, max, ret)
			   : door->ops->read(door->log, at, max, ret, how->op);
}

/* at may be where a record begins: then its frame, right before, says where it ends. Returns
 * whether it is; ret_rc is then the answer. */
static bool read_behind_frame(struct door *door, uint64_t at, uint64_t max,
			      struct gantry_slice *ret, const struct how *how, int *ret_rc)
{
	uint64_t frame = door->rules.format->frame_bytes, pass, record = 0;
	struct gantry_slice slice;

	if (frame == 0 || at % door->segment_bytes < frame)
		return false;
	*ret_rc = read_log(door, at - frame, max + frame, &slice, how);
	if (*ret_rc != 0)
		return *ret_rc != -ERANGE;
	if (look_at(door, &slice, &pass, &record) != DOOR_FRAME) {
		gantry_slice_release(&slice);
		return false;
	}
	*ret_rc = strip(&slice, frame, record, max) ? 0 : -ERANGE;
	if (*ret_rc == 0)
		*ret = slice;
	return true;
}

static int read_records(struct door *door, uint64_t at, uint64_t max, struct gantry_slice *ret,
			const struct how *how)
{
	uint64_t want;
	int rc;

	max = max < GANTRY_SLICE_MAX ? max : GANTRY_SLICE_MAX;
	want = max + door->rules.format->frame_bytes;
	if (read_behind_frame(door, at, max, ret, how, &rc))
		return rc;
	for (;;) {
		struct gantry_slice slice;
		uint64_t pass, record = UINT64_MAX;

		rc = read_log(door, at, want < DOOR_SPARE ? DOOR_SPARE : want, &slice, how);
		if (rc != 0)
			return rc;
		switch (look_at(door, &slice, &pass, &record)) {
		case DOOR_PAD:
			gantry_slice_release(&slice);
			at += pass;
			break;
		case DOOR_FRAME:
			if (!strip(&slice, pass, record, max))
				return -ERANGE;
			*ret = slice;
			return 0;
		case DOOR_RECORD:
			strip(&slice, 0, UINT64_MAX, max);
			*ret = slice;
			return 0;
		}
	}
}

int door_read(struct door *door, uint64_t at, uint64_t max, struct gantry_slice *ret,
	      struct gantry_op *op)
{
	return read_records(door, at, max, ret, &(struct how){.op = op});
}

int door_fetch(struct door *door, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	return read_records(door, at, max, ret, &(struct how){.blocks = true});
}
