/* SPDX-License-Identifier: Apache-2.0 */
/* What one record can tell of itself: checksums, places, names, properties, inner batches. */
#include <message/batch.h>
#include <message/checksum.h>
#include <message/properties.h>
#include <string.h>

#include "store.h"

struct checked {
	const struct log_walk *walk;
	const struct message_record *record;
	struct report *report;
	const char *file;
	uint64_t offset;
};

static struct gantry_str find(const struct checked *c, const char *name)
{
	return message_property_find(c->record->properties,
				     (struct gantry_str){name, strlen(name)});
}

static bool read_number(struct gantry_str text, int64_t *ret)
{
	int64_t value = 0;
	if (!text.at || !text.size || text.size > 18)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (text.at[i] - '0');
	}
	*ret = value;
	return true;
}

/* ---- fields */

static void check_place(const struct checked *c)
{
	const struct message_record *record = c->record;
	const struct segment *file = segments_find(c->walk->files, c->walk->record_at);
	uint64_t left = file ? file->base + file->size - c->walk->record_at : record->size;
	if (record->physical_offset != (int64_t)c->walk->record_at)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record at log offset %llu says that it is at %lld",
			   (unsigned long long)c->walk->record_at,
			   (long long)record->physical_offset);
	if (left - record->size < MESSAGE_BLANK_SIZE)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record of %u bytes leaves %llu of the file, at least %d are due",
			   record->size, (unsigned long long)(left - record->size),
			   MESSAGE_BLANK_SIZE);
}

static void check_body(const struct checked *c)
{
	const struct message_record *record = c->record;
	int32_t crc;
	if (!record->body.size)
		return;
	crc = message_body_crc(record->body.at, record->body.size);
	if (crc != record->body_crc)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record's body of %zu bytes has the checksum %d, the record says %d",
			   record->body.size, crc, record->body_crc);
}

static bool is_text(struct gantry_str name)
{
	for (size_t i = 0; i < name.size; i++)
		if ((unsigned char)name.at[i] <= ' ' || name.at[i] == '/' || name.at[i] == 127)
			return false;
	return name.size > 0;
}

static void check_numbers(const struct checked *c)
{
	const struct message_record *record = c->record;
	if (!is_text(record->topic))
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record's topic \"%.*s\" cannot be one", (int)record->topic.size,
			   record->topic.at);
	if (record->queue < 0 || record->queue_offset < 0)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record says that it is offset %lld of queue %d",
			   (long long)record->queue_offset, record->queue);
	if (record->store_ms <= 0)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record's store time is %lld", (long long)record->store_ms);
}

/* ---- properties */

/* Each pair has one 0x01, and not at its beginning. An empty value is what a producer may send. */
static void check_properties(const struct checked *c)
{
	struct gantry_str rest = c->record->properties;
	while (rest.size) {
		const char *end = memchr(rest.at, MESSAGE_PAIR_END, rest.size);
		size_t size = end ? (size_t)(end - rest.at) : rest.size;
		const char *sep = memchr(rest.at, MESSAGE_NAME_END, size);
		const char *more =
			sep ? memchr(sep + 1, MESSAGE_NAME_END, size - (size_t)(sep - rest.at) - 1)
			    : NULL;
		if (size && (!sep || sep == rest.at || more)) {
			report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
				   "the record's property \"%.*s\" is not a name and a value",
				   size > 80 ? 80 : (int)size, rest.at);
			return;
		}
		size += end != NULL;
		rest.at += size;
		rest.size -= size;
	}
}

static void check_crc_property(const struct checked *c)
{
	int32_t is;
	int64_t said;
	if (message_checksum_read(c->walk->bytes, c->record, &is, &said) == 0 && said != is)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record has the checksum %d, its property " MESSAGE_CHECKSUM
			   " says %lld",
			   is, (long long)said);
}

/* ---- inner batches */

static void check_batch(const struct checked *c)
{
	struct gantry_str rest = c->record->body;
	struct message_batch_item item;
	int64_t said, base, count = 0;
	int status;
	if (!(c->record->sys_flag & MESSAGE_INNER_BATCH) ||
	    (c->record->sys_flag & MESSAGE_COMPRESSED))
		return;
	while ((status = message_batch_next(&rest, &item)) == 1)
		count++;
	if (status)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "message %lld of the record's inner batch cannot be read",
			   (long long)count);
	else if (read_number(find(c, MESSAGE_INNER_NUM), &said) && said != count)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record's inner batch has %lld messages, its INNER_NUM says %lld",
			   (long long)count, (long long)said);
	if (read_number(find(c, MESSAGE_INNER_BASE), &base) && base != c->record->queue_offset)
		report_add(c->report, FINDING_DAMAGE, c->file, c->offset,
			   "the record's queue offset is %lld, its INNER_BASE says %lld",
			   (long long)c->record->queue_offset, (long long)base);
}

void record_check(const struct log_walk *walk, struct report *report)
{
	struct checked c = {.walk = walk, .record = &walk->record, .report = report};
	c.file = log_place(walk->files, walk->record_at, &c.offset);
	check_place(&c);
	check_body(&c);
	check_numbers(&c);
	check_properties(&c);
	check_crc_property(&c);
	check_batch(&c);
}
