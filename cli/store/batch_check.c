/* SPDX-License-Identifier: Apache-2.0 */
/* BatchConsumeQueues and ConsumeQueueExt against the log. */
#include <errno.h>
#include <fcntl.h>
#include <message/bytes.h>
#include <message/properties.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

static int64_t number_of(const struct message_record *record, const char *name, int64_t missing)
{
	struct gantry_str text =
		message_property_find(record->properties, (struct gantry_str){name, strlen(name)});
	g_autofree char *digits = g_strndup(text.at ? text.at : "", text.size);
	gint64 value;
	return g_ascii_string_to_signed(digits, 10, 0, INT64_MAX, &value, NULL) ? value : missing;
}

static void compare(struct queue_check *check, const struct store_queue *queue,
		    const struct batch_unit *unit, const struct batch_unit *due)
{
	uint64_t index = queue->next;
	if (unit->physical_offset != due->physical_offset || unit->size != due->size)
		queue_found(check, queue, index, FINDING_DAMAGE,
			    "unit %llu points to log offset %lld, size %d; its record is at %lld "
			    "and has %d",
			    (unsigned long long)index, (long long)unit->physical_offset, unit->size,
			    (long long)due->physical_offset, due->size);
	else if (unit->base_offset != due->base_offset || unit->count != due->count)
		queue_found(check, queue, index, FINDING_DAMAGE,
			    "unit %llu says %d messages from offset %lld on, its record has %d "
			    "from %lld on",
			    (unsigned long long)index, unit->count, (long long)unit->base_offset,
			    due->count, (long long)due->base_offset);
	else if (unit->store_ms != due->store_ms || unit->tags_code != due->tags_code)
		queue_found(check, queue, index, FINDING_DAMAGE,
			    "unit %llu says store time %lld and tags code %lld, its record %lld "
			    "and %lld",
			    (unsigned long long)index, (long long)unit->store_ms,
			    (long long)unit->tags_code, (long long)due->store_ms,
			    (long long)due->tags_code);
}

/* Units stand in the order of the log, one for a record; their number is no queue offset. */
void batch_check_record(struct queue_check *check, struct store_queue *queue,
			const struct message_record *record, uint64_t at)
{
	struct batch_unit unit,
		due = {
			.physical_offset = (int64_t)at,
			.size = (int32_t)record->size,
			.tags_code = message_record_tags_code(record, &check->delays),
			.store_ms = record->store_ms,
			.base_offset = number_of(record, MESSAGE_INNER_BASE, -1),
			.count = (int16_t)number_of(record, MESSAGE_INNER_NUM, -1),
		};
	const uint8_t *bytes;
	int found;
	if (due.base_offset < 0 || due.count < 0) {
		due.base_offset = record->queue_offset;
		due.count = 1;
	}
	if (!queue->begun) {
		queue->begun = true;
		queue->ended = store_queue_search(&check->queues, queue, check->log_first,
						  &queue->next) != 0;
	}
	found = queue->ended ? 0 : store_queue_unit(&check->queues, queue, queue->next, &bytes);
	if (found > 0)
		message_batch_unit_read(bytes, &unit);
	if (found <= 0 || unit.size == 0) {
		if (!queue->missing++) {
			queue->missing_from = queue->next;
			queue->missing_at = at;
		}
		queue->ended = true;
		return;
	}
	if (!queue->matched && unit.physical_offset > (int64_t)at) {
		queue->stale++;
		return;
	}
	compare(check, queue, &unit, &due);
	queue->matched++;
	queue->next++;
}

/* ---- ConsumeQueueExt */

static int read_ext(const char *folder, uint64_t address, uint8_t *to, size_t size, char **ret_path,
		    uint64_t *ret_offset)
{
	struct segments files;
	const struct segment *file;
	int64_t got = -ENOENT;
	segments_list((char *[]){(char *)folder, NULL}, 1, NULL, &files);
	file = segments_find(&files, address);
	if (file) {
		int fd = open(file->path, O_RDONLY | O_CLOEXEC);
		*ret_path = g_strdup(file->path);
		*ret_offset = address - file->base;
		got = fd < 0 ? -errno : read_at(fd, to, size, *ret_offset);
		if (fd >= 0)
			close(fd);
	}
	segments_free(&files);
	return (int)got;
}

/* The unit's tags code is an address: what stands there must have the record's own. */
void ext_check_unit(struct queue_check *check, const struct store_queue *queue, uint64_t index,
		    uint64_t address, const struct message_record *record, int64_t tags_code)
{
	g_autofree char *folder = g_strdup_printf(
		"%s/consumequeue_ext/%s/%d", check->queues.places->root, queue->key, queue->id);
	uint8_t bytes[INT16_MAX];
	g_autofree char *path = NULL;
	struct ext_unit unit;
	uint64_t offset = 0;
	int got = read_ext(folder, address, bytes, sizeof(bytes), &path, &offset);
	if (got < 0 || message_ext_unit_read(bytes, (size_t)got, &unit) != 1)
		queue_found(check, queue, index, FINDING_DAMAGE,
			    "unit %llu says that its tags are at %llu of consumequeue_ext, where "
			    "no unit begins",
			    (unsigned long long)index, (unsigned long long)address);
	else if (unit.tags_code != tags_code || unit.store_ms != record->store_ms)
		report_add(check->report, FINDING_DAMAGE, path, offset,
			   "the unit has the tags code %lld and store time %lld, the record at "
			   "log offset %lld has %lld and %lld",
			   (long long)unit.tags_code, (long long)unit.store_ms,
			   (long long)record->physical_offset, (long long)tags_code,
			   (long long)record->store_ms);
}
