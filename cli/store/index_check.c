/* SPDX-License-Identifier: Apache-2.0 */
/* Each entry points to a record that has its key, in the order of the log. */
#include "index_check.h"

#include <errno.h>
#include <message/index_keys.h>
#include <string.h>

enum { KEYS_MAX = 16384 }; /* of a record: its properties have 32767 bytes */

void index_check_begin(struct index_check *check, const struct store_places *places,
		       const struct segments *log, uint32_t slots, struct report *report)
{
	*check = (struct index_check){
		.log = log, .report = report, .slots = slots, .running = places->running};
	check->folder = g_build_filename(places->root, "index", NULL);
	check->names = list_names(check->folder);
	if (!check->names && errno != ENOENT)
		report_unread(report, check->folder, -errno);
}

void index_check_free(struct index_check *check)
{
	if (check->open)
		index_stream_close(&check->stream, false);
	if (check->names)
		g_ptr_array_unref(check->names);
	g_free(check->folder);
	g_free(check->path);
}

/* ---- from file to file */

static bool is_name(const char *name)
{
	size_t size = strspn(name, "0123456789");
	return size == MESSAGE_INDEX_NAME && !name[size];
}

static bool open_next(struct index_check *check)
{
	while (check->names && check->file < check->names->len) {
		const char *name = check->names->pdata[check->file++];
		g_free(check->path);
		check->path = g_build_filename(check->folder, name, NULL);
		if (!is_name(name)) {
			report_add(check->report, FINDING_DAMAGE, check->path, 0,
				   "its name is not a time of %d digits", MESSAGE_INDEX_NAME);
			continue;
		}
		check->lonely = 0;
		check->open = index_stream_open(&check->stream, check->path, check->slots,
						check->running, check->report);
		if (check->open)
			return true;
	}
	return false;
}

static void finish_file(struct index_check *check)
{
	const struct index_stream *stream = &check->stream;
	if (check->lonely > 1)
		report_add(check->report, FINDING_DAMAGE, check->path,
			   index_stream_place(stream, 1),
			   "%llu entries of the file point to no record that has their key",
			   (unsigned long long)check->lonely);
	if (stream->header.next > 1 && !check->running && stream->header.end_at != check->last_at)
		report_add(check->report, FINDING_DAMAGE, check->path, 24,
			   "endPhyOffset is %lld, the last entry points to %lld",
			   (long long)stream->header.end_at, (long long)check->last_at);
	check->before = stream->header;
	index_stream_close(&check->stream, true);
	check->open = false;
}

/* The next entry of all files. */
static bool see(struct index_check *check, struct message_index_entry *ret)
{
	for (;;) {
		if (!check->open && !open_next(check))
			return false;
		if (index_stream_see(&check->stream, check->stream.number, ret))
			return true;
		finish_file(check);
	}
}

static void pass(struct index_check *check, const struct message_index_entry *entry, bool good)
{
	if (good || entry->at > check->last_at)
		check->last_at = entry->at;
	index_stream_pass(&check->stream, entry);
}

/* ---- entries without a record */

static void check_lonely(struct index_check *check, const struct queue_check *holes,
			 const struct message_index_entry *entry, const char *why)
{
	uint32_t number = check->stream.number;
	if (entry->at >= 0 && ((uint64_t)entry->at < segments_first(check->log) ||
			       queue_check_is_hole(holes, (uint64_t)entry->at)))
		return; /* expired, or told already */
	if (!check->lonely++)
		report_add(check->report, FINDING_DAMAGE, check->path,
			   index_stream_place(&check->stream, number),
			   "entry %u with hash %u points to log offset %lld, %s", number,
			   entry->hash, (long long)entry->at, why);
}

/* Whether the entry cannot stand here, since the next one points before it. */
static bool is_ahead(struct index_check *check, const struct message_index_entry *entry)
{
	struct message_index_entry next;
	return index_stream_see(&check->stream, check->stream.number + 1, &next) &&
	       next.at < entry->at;
}

/* ---- a record's keys */

struct keys {
	uint32_t count;
	uint32_t hashes[KEYS_MAX];
	bool met[KEYS_MAX];
};

static void add_key(struct keys *keys, uint32_t hash)
{
	if (keys->count == KEYS_MAX)
		return;
	keys->met[keys->count] = false;
	keys->hashes[keys->count++] = hash;
}

static void collect(const struct message_record *record, struct keys *keys)
{
	uint32_t topic = message_index_topic(record->topic), hash;
	struct message_index_keys found;
	keys->count = 0;
	if (!message_index_keys(record, &found))
		return;
	while (message_index_next(&found, topic, &hash))
		add_key(keys, hash);
}

static bool has_key(struct keys *keys, uint32_t hash)
{
	bool found = false;
	for (uint32_t i = 0; i < keys->count; i++) {
		if (keys->hashes[i] == hash) {
			keys->met[i] = true;
			found = true;
		}
	}
	return found;
}

/* ---- times */

static int64_t seconds_since(int64_t ms, int64_t begin_ms)
{
	int64_t seconds = (ms - begin_ms) / 1000;
	if (begin_ms <= 0 || seconds < 0)
		return 0;
	return seconds > INT32_MAX ? INT32_MAX : seconds;
}

/* The first entry's time counts from the end of the file before. */
static void check_time(struct index_check *check, const struct message_index_entry *entry,
		       const struct message_record *record)
{
	const struct index_stream *stream = &check->stream;
	bool first = stream->number == 1;
	int64_t due = seconds_since(record->store_ms, stream->header.begin_ms);
	if (first && stream->header.begin_ms != record->store_ms)
		report_add(check->report, FINDING_DAMAGE, check->path, 0,
			   "beginTimestamp is %lld, the first entry's message is of %lld",
			   (long long)stream->header.begin_ms, (long long)record->store_ms);
	if (first && stream->header.begin_at != entry->at)
		report_add(check->report, FINDING_DAMAGE, check->path, 16,
			   "beginPhyOffset is %lld, the first entry points to %lld",
			   (long long)stream->header.begin_at, (long long)entry->at);
	if (first && !check->before.next)
		return; /* the file before may have expired */
	if (first)
		due = seconds_since(record->store_ms, check->before.end_ms);
	if (entry->seconds != due && entry->seconds != 0)
		report_add(check->report, FINDING_DAMAGE, check->path,
			   index_stream_place(stream, stream->number) + 12,
			   "entry %u says %d seconds after the file's beginning, its message was "
			   "stored after %lld",
			   stream->number, entry->seconds, (long long)due);
	if (stream->number + 1 == stream->header.next && !check->running &&
	    stream->header.end_ms != record->store_ms)
		report_add(check->report, FINDING_DAMAGE, check->path, 8,
			   "endTimestamp is %lld, the last entry's message is of %lld",
			   (long long)stream->header.end_ms, (long long)record->store_ms);
}

/* ---- a record */

static void count_unmet(struct index_check *check, const struct keys *keys, uint64_t at)
{
	if (!check->begun || at < check->first_at)
		return;
	for (uint32_t i = 0; i < keys->count; i++) {
		if (!keys->met[i]) {
			check->unindexed++;
			return;
		}
	}
}

static void check_entry(struct index_check *check, const struct queue_check *holes,
			const struct message_index_entry *entry, struct keys *keys,
			const struct message_record *record)
{
	bool good = has_key(keys, entry->hash);
	check->entries++;
	if (good)
		check_time(check, entry, record);
	else
		check_lonely(check, holes, entry, "where the record has no such key");
	pass(check, entry, good);
}

void index_check_record(struct index_check *check, const struct queue_check *holes,
			const struct log_walk *walk)
{
	struct message_index_entry entry;
	struct keys keys;
	int64_t at = (int64_t)walk->record_at;
	if (!check->names)
		return;
	collect(&walk->record, &keys);
	while (see(check, &entry) && (entry.at <= at || is_ahead(check, &entry))) {
		if (!check->begun)
			check->first_at = (uint64_t)entry.at;
		check->begun = true;
		if (entry.at == at) {
			check_entry(check, holes, &entry, &keys, &walk->record);
			continue;
		}
		check_lonely(check, holes, &entry,
			     entry.at > at ? "behind the entry after it"
					   : "where no record begins, or not in the log's order");
		pass(check, &entry, entry.at < at && entry.at > check->last_at);
	}
	count_unmet(check, &keys, walk->record_at);
}

void index_check_end(struct index_check *check, const struct queue_check *holes)
{
	struct message_index_entry entry;
	while (!check->running && !cli_interrupted() && see(check, &entry)) {
		check_lonely(check, holes, &entry, "behind the log's end");
		pass(check, &entry, true);
	}
	if (check->unindexed)
		report_note(check->report, check->folder,
			    "%llu messages cannot be found by all of their keys: they were stored "
			    "without an index",
			    (unsigned long long)check->unindexed);
}
