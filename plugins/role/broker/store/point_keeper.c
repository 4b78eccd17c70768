/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the recovery point while the broker runs, and judging the one that a start finds. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "message/bytes.h"
#include "store/cursor.h"
#include "store/files.h"

enum { SAVE_MS = 100 };

/* ---- the file */

static void area_failed(struct store *store, const char *what, int status)
{
	gantry_log_limited(store->inst, &store->writer.limit, WARNING,
			   "%s/gantry.point: cannot %s: %s; a start after a kill takes longer",
			   store->root, what, strerror(-status));
}

/* Under the lock, or before there are others. */
static void save(struct store *store)
{
	struct point_keeper *keeper = &store->point;
	uint8_t bytes[POINT_USED] = {0};
	int status;

	if (!keeper->area)
		return;
	keeper->says.kinds = __atomic_load_n(&keeper->kinds, __ATOMIC_RELAXED);
	if (keeper->good)
		point_encode(bytes, &keeper->says);
	status = keeper->ops->write(keeper->area, 0, bytes, sizeof(bytes));
	if (status)
		area_failed(store, "write", status);
	keeper->saved_ms = gantry_clock_ms();
}

void point_open(struct store *store)
{
	struct point_keeper *keeper = &store->point;
	uint8_t bytes[POINT_USED];
	struct point_run run;
	char path[4096];
	int status;

	keeper->ops = store->engine->area;
	if (snprintf(path, sizeof(path), "%s/gantry.point", store->root) >= (int)sizeof(path))
		return;
	status = keeper->ops->open(store->engine_inst, path, POINT_FILE, &keeper->area, NULL);
	if (!status)
		status = keeper->ops->read(keeper->area, 0, bytes, sizeof(bytes));
	if (status) {
		area_failed(store, "open", status);
		return;
	}
	keeper->found = keeper->good = point_decode(bytes, &keeper->says) == 0;
	keeper->kinds = keeper->says.kinds;
	keeper->found_same_run = keeper->found && point_run_now(store->root, &run) == 0 &&
				 point_run_is(&run, &keeper->says.run);
}

/* A point of another run is not made to look like one of this: it stays in the file until the
 * writer has the first one of its own. */
void point_keep(struct store *store)
{
	struct point_keeper *keeper = &store->point;
	struct point_run run;
	int status = point_run_now(store->root, &run);

	if (status) {
		area_failed(store, "say which run it is of", status);
		keeper->found_same_run = false;
		keeper->ops->close(keeper->area);
		keeper->area = NULL;
		return;
	}
	keeper->says.run = run;
	keeper->good = keeper->found_same_run;
	if (keeper->good)
		save(store);
}

void point_close(struct point_keeper *keeper)
{
	if (keeper->area)
		keeper->ops->close(keeper->area);
	keeper->area = NULL;
}

/* ---- what a start makes of it */

bool point_knows_checkpoint(const struct store *store)
{
	uint8_t bytes[MESSAGE_CHECKPOINT_USED];

	if (!store->point.found)
		return false;
	message_checkpoint_write(bytes, &store->checkpoint.says);
	return memcmp(bytes, store->point.says.checkpoint, sizeof(bytes)) == 0;
}

/* Whether its last message stands in the log as it was. */
static bool has_last_record(struct store *store)
{
	const struct point *says = &store->point.says;
	struct cursor cursor = {.store = store, .at = says->record_at, .check_crc = true};
	bool good = cursor_next(&cursor) == 1 && cursor.record_at == says->record_at &&
		    cursor.record.size == says->record_size &&
		    cursor.record.body_crc == says->record_crc &&
		    cursor.record.store_ms == says->record_ms && cursor.at <= says->written;

	cursor_close(&cursor);
	return good;
}

bool point_is_trusted(struct store *store)
{
	const struct point_keeper *keeper = &store->point;
	struct gantry_bounds log;

	store->door->bounds(store->door_inst, &log);
	return store->unclean && keeper->found_same_run && keeper->says.record_size &&
	       keeper->says.written > log.first && keeper->says.written <= log.end &&
	       point_knows_checkpoint(store) && has_last_record(store);
}

/* A point that knows the checkpoint knows all kinds that the checkpoint vouches for. Without one, a
 * store that has no plain queue, as hardly any is, is taken for one that lost them. */
bool point_misses(const struct store *store, uint32_t kind)
{
	if (!files_folder_is_empty(store->folders[kind]))
		return false;
	if (point_knows_checkpoint(store))
		return store->point.says.kinds >> kind & 1;
	return kind == KIND_PLAIN;
}

void point_know_kinds(struct store *store)
{
	uint32_t kinds = 0;

	for (uint32_t kind = 0; kind < QUEUE_KINDS; kind++)
		if (!files_folder_is_empty(store->folders[kind]))
			kinds |= 1u << kind;
	__atomic_store_n(&store->point.kinds, kinds, __ATOMIC_RELAXED);
}

/* ---- while the broker runs */

void point_has(struct store *store, uint32_t kind)
{
	uint32_t *kinds = &store->point.kinds;

	if (!(__atomic_load_n(kinds, __ATOMIC_RELAXED) >> kind & 1))
		__atomic_fetch_or(kinds, 1u << kind, __ATOMIC_RELAXED);
}

void point_begin(struct store *store, uint64_t trimmed, bool exact)
{
	struct point_keeper *keeper = &store->point;

	pthread_mutex_lock(&keeper->lock);
	keeper->says.trimmed = trimmed;
	if (exact)
		message_checkpoint_write(keeper->says.checkpoint, &store->checkpoint.says);
	else /* what no checkpoint says */
		memset(keeper->says.checkpoint, 0xff, sizeof(keeper->says.checkpoint));
	pthread_mutex_unlock(&keeper->lock);
}

uint32_t point_turn(struct point_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	uint32_t turn = keeper->turn;
	pthread_mutex_unlock(&keeper->lock);
	return turn;
}

bool point_is_behind(struct store *store, uint64_t end)
{
	struct point_keeper *keeper = &store->point;

	pthread_mutex_lock(&keeper->lock);
	bool behind = keeper->area && (!keeper->good || keeper->says.written < end);
	pthread_mutex_unlock(&keeper->lock);
	return behind && !__atomic_load_n(&store->hole, __ATOMIC_ACQUIRE);
}

/* Reads from the log what tells the message from any other that may stand there later. */
static bool describe(struct store *store, struct point *point)
{
	struct gantry_slice slice;
	enum { SIZE_AT = 0, CRC_AT = 8, NEED = 12 };
	bool good;

	if (store_fetch(store, point->record_at, NEED, &slice))
		return false;
	good = slice.offset == point->record_at && slice.size >= NEED;
	if (good) {
		point->record_size = message_get32(slice.bytes + SIZE_AT);
		point->record_crc = (int32_t)message_get32(slice.bytes + CRC_AT);
	}
	gantry_slice_release(&slice);
	return good;
}

void point_note(struct store *store, uint32_t turn, uint64_t end, uint64_t record_at,
		int64_t record_ms)
{
	struct point_keeper *keeper = &store->point;
	struct point next;

	pthread_mutex_lock(&keeper->lock);
	next = keeper->says;
	bool early = keeper->good && gantry_clock_ms() < keeper->saved_ms + SAVE_MS;
	pthread_mutex_unlock(&keeper->lock);
	next.written = end;
	next.record_at = record_at;
	next.record_ms = record_ms;
	if (early || !record_ms || __atomic_load_n(&store->hole, __ATOMIC_ACQUIRE) ||
	    !describe(store, &next))
		return;
	pthread_mutex_lock(&keeper->lock);
	if (keeper->turn == turn) {
		memcpy(next.checkpoint, keeper->says.checkpoint, sizeof(next.checkpoint));
		keeper->says = next;
		keeper->good = true;
		save(store);
	}
	pthread_mutex_unlock(&keeper->lock);
}

void point_follow_checkpoint(struct store *store)
{
	struct point_keeper *keeper = &store->point;

	pthread_mutex_lock(&keeper->lock);
	message_checkpoint_write(keeper->says.checkpoint, &store->checkpoint.says);
	if (keeper->good)
		save(store);
	pthread_mutex_unlock(&keeper->lock);
}

void point_forget(struct store *store)
{
	struct point_keeper *keeper = &store->point;

	pthread_mutex_lock(&keeper->lock);
	keeper->turn++;
	keeper->good = false;
	save(store);
	pthread_mutex_unlock(&keeper->lock);
}
