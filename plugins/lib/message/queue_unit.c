/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing ConsumeQueue units. */
#include "message/queue_unit.h"

#include <errno.h>
#include <string.h>

#include "message/bytes.h"
#include "message/name.h"
#include "message/properties.h"

void message_unit_read(const uint8_t *from, struct queue_unit *ret)
{
	ret->physical_offset = (int64_t)message_get64(from);
	ret->size = (int32_t)message_get32(from + 8);
	ret->tags_code = (int64_t)message_get64(from + 12);
	ret->count = 1;
	ret->offset = ret->store_ms = 0;
}

void message_unit_write(uint8_t *to, const struct queue_unit *unit)
{
	to = message_put64(to, (uint64_t)unit->physical_offset);
	to = message_put32(to, (uint32_t)unit->size);
	message_put64(to, (uint64_t)unit->tags_code);
}

/* ---- of a record */

bool message_record_is_queued(const struct message_record *record)
{
	int32_t type = record->sys_flag & MESSAGE_TRANSACTION;

	return type == 0 || type == MESSAGE_COMMITTED;
}

/* Java's Integer.parseInt, but what is no number is level 0. */
static int32_t level_of(struct gantry_str text)
{
	int32_t level = 0;

	if (!text.size || text.size > 9)
		return 0;
	for (size_t i = 0; i < text.size; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return 0;
		level = level * 10 + (text.at[i] - '0');
	}
	return level;
}

int64_t message_record_tags_code(const struct message_record *record,
				 const struct message_delays *delays)
{
	static const char tags[] = MESSAGE_TAGS, delay[] = MESSAGE_DELAY,
			  schedule[] = MESSAGE_SCHEDULE_TOPIC;

	if (record->topic.size == sizeof(schedule) - 1 &&
	    memcmp(record->topic.at, schedule, sizeof(schedule) - 1) == 0) {
		int32_t level = level_of(message_property_find(
			record->properties, (struct gantry_str){delay, sizeof(delay) - 1}));

		if (level > 0)
			return message_deliver_ms(delays, level, record->store_ms);
	}
	return message_tags_code(message_property_find(
		record->properties, (struct gantry_str){tags, sizeof(tags) - 1}));
}

/* ---- the other two kinds */

void message_batch_unit_read(const uint8_t *from, struct batch_unit *ret)
{
	ret->physical_offset = (int64_t)message_get64(from);
	ret->size = (int32_t)message_get32(from + 8);
	ret->tags_code = (int64_t)message_get64(from + 12);
	ret->store_ms = (int64_t)message_get64(from + 20);
	ret->base_offset = (int64_t)message_get64(from + 28);
	ret->count = (int16_t)message_get16(from + 36);
	ret->compacted = (int32_t)message_get32(from + 38);
}

void message_batch_unit_write(uint8_t *to, const struct batch_unit *unit)
{
	to = message_put64(to, (uint64_t)unit->physical_offset);
	to = message_put32(to, (uint32_t)unit->size);
	to = message_put64(to, (uint64_t)unit->tags_code);
	to = message_put64(to, (uint64_t)unit->store_ms);
	to = message_put64(to, (uint64_t)unit->base_offset);
	to = message_put16(to, (uint16_t)unit->count);
	to = message_put32(to, (uint32_t)unit->compacted);
	message_put32(to, 0); /* reserved */
}

bool message_batch_unit_is_good(const struct batch_unit *unit)
{
	return unit->physical_offset >= 0 && unit->size > 0 && unit->base_offset >= 0 &&
	       unit->count > 0;
}

bool message_unit_ext_address(int64_t tags_code, uint64_t *ret)
{
	if (tags_code >= INT32_MIN)
		return false;
	*ret = (uint64_t)tags_code - (uint64_t)INT64_MIN;
	return true;
}

uint64_t message_ext_unit_address(uint64_t at)
{
	return at + (uint64_t)INT64_MIN;
}

int message_ext_unit_head(const uint8_t *from, struct ext_unit *ret)
{
	int16_t unit_size = (int16_t)message_get16(from);
	uint16_t bitmap = message_get16(from + 18);

	if (unit_size == 0 || unit_size == -1)
		return 0;
	if (unit_size < MESSAGE_EXT_UNIT_MIN || bitmap != unit_size - MESSAGE_EXT_UNIT_MIN)
		return -EBADMSG;
	ret->size = (uint16_t)unit_size;
	ret->tags_code = (int64_t)message_get64(from + 2);
	ret->store_ms = (int64_t)message_get64(from + 10);
	ret->bitmap = (struct gantry_str){NULL, bitmap};
	return 1;
}

int message_ext_unit_read(const uint8_t *from, size_t size, struct ext_unit *ret)
{
	struct ext_unit unit;
	int status;

	if (size < 2)
		return -EBADMSG;
	if (size < MESSAGE_EXT_UNIT_MIN) /* the end of a file has room for no unit */
		return message_get16(from) == 0 || message_get16(from) == UINT16_MAX ? 0 : -EBADMSG;
	status = message_ext_unit_head(from, &unit);
	if (status <= 0)
		return status;
	if (unit.size > size)
		return -EBADMSG;
	*ret = unit;
	ret->bitmap.at = (const char *)from + MESSAGE_EXT_UNIT_MIN;
	return 1;
}

void message_ext_unit_write(uint8_t *to, const struct ext_unit *unit)
{
	to = message_put16(to, MESSAGE_EXT_UNIT_MIN);
	to = message_put64(to, (uint64_t)unit->tags_code);
	to = message_put64(to, (uint64_t)unit->store_ms);
	message_put16(to, 0);
}
