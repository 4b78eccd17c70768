/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the log. */
#include <errno.h>
#include <stdlib.h>

#include "message/bytes.h"
#include "store/internal.h"

void store_bounds(const struct store *store, uint64_t *ret_first, uint64_t *ret_end)
{
	struct gantry_bounds bounds;

	store->door->bounds(store->door_inst, &bounds);
	*ret_first = bounds.first;
	*ret_end = store->door->mark(store->door_inst, GANTRY_VISIBLE);
}

int store_read(struct store *store, uint64_t at, uint64_t max, struct gantry_slice *ret,
	       struct gantry_op *op)
{
	uint64_t visible = store->door->mark(store->door_inst, GANTRY_VISIBLE);

	if (at >= visible)
		return -ERANGE;
	if (max > visible - at)
		max = visible - at;
	return store->door->read(store->door_inst, at, max, ret, op);
}

/* How long the record at that place says that it is; as store_read_message(). */
static int read_size(struct store *store, uint64_t at, uint32_t *ret, struct gantry_op *op)
{
	struct message_record record;
	struct gantry_slice slice;
	int status = store_read(store, at, MESSAGE_BLANK_SIZE, &slice, op);

	if (status)
		return status == -ERANGE ? -ENOENT : status;
	if (slice.offset == at && slice.size >= MESSAGE_BLANK_SIZE &&
	    message_record_read(slice.bytes, slice.size, false, &record) == MESSAGE_SHORT)
		*ret = record.size;
	else
		status = -ENOENT;
	gantry_slice_release(&slice);
	return status;
}

int store_read_message(struct store *store, uint64_t at, struct gantry_slice *ret,
		       struct gantry_op *op)
{
	struct message_record record;
	struct gantry_slice slice;
	uint32_t size = 0;
	int status = read_size(store, at, &size, op);

	if (status)
		return status;
	status = store_read(store, at, size, &slice, op);
	if (status)
		return status == -ERANGE ? -ENOENT : status;
	if (slice.offset != at ||
	    message_record_read(slice.bytes, slice.size, false, &record) != MESSAGE_WHOLE ||
	    record.physical_offset != (int64_t)at) {
		gantry_slice_release(&slice);
		return -ENOENT;
	}
	*ret = slice;
	return 0;
}

/* ---- off the loops */

struct wait {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done; /* lock */
	struct gantry_op op;
};

static void wake(struct gantry_op *op)
{
	struct wait *wait = op->user;

	pthread_mutex_lock(&wait->lock);
	wait->done = true;
	pthread_cond_signal(&wait->changed);
	pthread_mutex_unlock(&wait->lock);
}

static int wait_for(struct wait *wait)
{
	pthread_mutex_lock(&wait->lock);
	while (!wait->done)
		pthread_cond_wait(&wait->changed, &wait->lock);
	wait->done = false;
	pthread_mutex_unlock(&wait->lock);
	return wait->op.status;
}

int store_read_wait(struct store *store, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	struct wait wait = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int status;

	do {
		wait.op = (struct gantry_op){
			.done = wake, .loop = store->dispatcher.loop, .user = &wait};
		status = store->door->read(store->door_inst, at, max, ret, &wait.op);
		if (status > 0)
			status = wait_for(&wait) ? wait.op.status : GANTRY_PENDING;
	} while (status > 0);
	pthread_cond_destroy(&wait.changed);
	pthread_mutex_destroy(&wait.lock);
	return status;
}
