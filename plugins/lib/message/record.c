/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing stored messages. */
#include "message/record.h"

#include <errno.h>
#include <libdeflate.h>
#include <limits.h>

#include "message/bytes.h"
#include "message/checksum.h"

enum { PAIR_END = 2 };

enum {
	AT_SIZE = 0,
	AT_MAGIC = 4,
	AT_BODY_CRC = 8,
	AT_QUEUE = 12,
	AT_FLAG = 16,
	AT_QUEUE_OFFSET = 20,
	AT_PHYSICAL_OFFSET = 28,
	AT_SYS_FLAG = 36,
	AT_BORN_MS = 40,
	AT_BORN_HOST = 48,
	HOST_V4 = 8, /* address and a port of 4 bytes */
	HOST_V6 = 20,
	BEHIND_HOSTS = 8 + 4 + 8, /* store time, reconsume times, prepared offset; then the body */
};

int32_t message_body_crc(const void *body, size_t size)
{
	return (int32_t)(libdeflate_crc32(0, body, size) & 0x7FFFFFFF);
}

static const uint8_t *read_host(const uint8_t *at, bool v6, struct gantry_address *ret)
{
	uint8_t ip_size = v6 ? 16 : 4;

	memcpy(ret->ip, at, ip_size);
	ret->ip_size = ip_size;
	ret->port = (uint16_t)message_get32(at + ip_size);
	return at + ip_size + 4;
}

/* What stands before the body. The caller has made sure that it is all there. */
static const uint8_t *read_head(const uint8_t *bytes, struct message_record *ret)
{
	const uint8_t *at = bytes + AT_BORN_HOST;

	ret->body_crc = (int32_t)message_get32(bytes + AT_BODY_CRC);
	ret->queue = (int32_t)message_get32(bytes + AT_QUEUE);
	ret->flag = (int32_t)message_get32(bytes + AT_FLAG);
	ret->queue_offset = (int64_t)message_get64(bytes + AT_QUEUE_OFFSET);
	ret->physical_offset = (int64_t)message_get64(bytes + AT_PHYSICAL_OFFSET);
	ret->born_ms = (int64_t)message_get64(bytes + AT_BORN_MS);
	at = read_host(at, ret->sys_flag & MESSAGE_BORN_HOST_V6, &ret->born_host);
	ret->store_ms = (int64_t)message_get64(at);
	at = read_host(at + 8, ret->sys_flag & MESSAGE_STORE_HOST_V6, &ret->store_host);
	ret->reconsume_times = (int32_t)message_get32(at);
	ret->prepared_offset = (int64_t)message_get64(at + 4);
	return at + 12;
}

/* Takes a text of that many bytes and makes sure that the record still has room behind it. */
static bool take(const uint8_t **at, const uint8_t *end, size_t size, size_t behind,
		 struct gantry_str *ret)
{
	if (size > (size_t)(end - *at) || behind > (size_t)(end - *at) - size)
		return false;
	ret->at = (const char *)*at;
	ret->size = size;
	*at += size;
	return true;
}

/* Body, topic and properties; false: they do not add up to the record's size. */
static bool read_texts(const uint8_t *at, const uint8_t *end, struct message_record *ret)
{
	size_t topic_width = ret->magic == MESSAGE_MAGIC_V2 ? 2 : 1;
	int32_t body_size = (int32_t)message_get32(at);
	int16_t properties_size;
	size_t topic_size;

	at += 4;
	if (!take(&at, end, body_size > 0 ? (size_t)body_size : 0, topic_width, &ret->body))
		return false;
	topic_size = topic_width == 2 ? message_get16(at) : *at;
	at += topic_width;
	if (!take(&at, end, topic_size, 2, &ret->topic))
		return false;
	properties_size = (int16_t)message_get16(at);
	at += 2;
	if (!take(&at, end, properties_size > 0 ? (size_t)properties_size : 0, 0, &ret->properties))
		return false;
	return at == end;
}

static uint32_t host_bytes(int32_t sys_flag)
{
	return (sys_flag & MESSAGE_BORN_HOST_V6 ? HOST_V6 : HOST_V4) +
	       (sys_flag & MESSAGE_STORE_HOST_V6 ? HOST_V6 : HOST_V4);
}

/* All of a record but its two hosts and three texts. */
static uint32_t bare_bytes(int32_t magic)
{
	return MESSAGE_RECORD_MIN - 2 * HOST_V4 + (magic == MESSAGE_MAGIC_V2);
}

bool message_record_may_begin(const uint8_t *bytes, uint64_t at)
{
	int32_t magic = (int32_t)message_get32(bytes + AT_MAGIC);

	_Static_assert(AT_PHYSICAL_OFFSET + 8 == (int)MESSAGE_RECORD_LOOK, "what is looked at");
	return (magic == MESSAGE_MAGIC_V1 || magic == MESSAGE_MAGIC_V2) &&
	       message_get64(bytes + AT_PHYSICAL_OFFSET) == at;
}

uint32_t message_record_claims(const uint8_t *bytes, size_t size, uint64_t at)
{
	uint32_t says, bare;
	int32_t sys_flag, body;

	if (size < MESSAGE_HEAD_MAX || !message_record_may_begin(bytes, at))
		return 0;
	says = message_get32(bytes + AT_SIZE);
	sys_flag = (int32_t)message_get32(bytes + AT_SYS_FLAG);
	bare = bare_bytes((int32_t)message_get32(bytes + AT_MAGIC)) + host_bytes(sys_flag);
	body = (int32_t)message_get32(bytes + AT_BORN_HOST + host_bytes(sys_flag) + BEHIND_HOSTS);
	if (says > INT32_MAX || body < 0 || says < (uint64_t)bare + (uint32_t)body ||
	    says - bare - (uint32_t)body > INT16_MAX + MESSAGE_PROPERTIES_MAX)
		return 0;
	return says;
}

enum message_scan message_record_read(const uint8_t *bytes, size_t size, bool check_crc,
				      struct message_record *ret)
{
	ret->size = 0;
	if (size < MESSAGE_BLANK_SIZE)
		return MESSAGE_SHORT;
	ret->magic = (int32_t)message_get32(bytes + AT_MAGIC);
	if (ret->magic == MESSAGE_MAGIC_BLANK) {
		ret->size = message_get32(bytes + AT_SIZE);
		return MESSAGE_BLANK;
	}
	if (ret->magic != MESSAGE_MAGIC_V1 && ret->magic != MESSAGE_MAGIC_V2)
		return MESSAGE_NOTHING;
	ret->size = message_get32(bytes + AT_SIZE);
	if (ret->size < MESSAGE_RECORD_MIN || ret->size > INT32_MAX)
		return MESSAGE_NOTHING;
	if (ret->size > size)
		return MESSAGE_SHORT;
	ret->sys_flag = (int32_t)message_get32(bytes + AT_SYS_FLAG);
	if (ret->size < bare_bytes(ret->magic) + host_bytes(ret->sys_flag) ||
	    !read_texts(read_head(bytes, ret), bytes + ret->size, ret))
		return MESSAGE_BAD_SIZE;
	if (check_crc && ret->body.size &&
	    message_body_crc(ret->body.at, ret->body.size) != ret->body_crc)
		return MESSAGE_BAD_CRC;
	return MESSAGE_WHOLE;
}

/* The length of UTF-8 text in Java's chars. */
static size_t utf16_units(struct gantry_str text)
{
	size_t units = 0;

	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = (uint8_t)text.at[i];

		units += (byte & 0xC0) != 0x80; /* not a continuation */
		units += byte >= 0xF0;          /* two surrogates */
	}
	return units;
}

/* A checksum stands behind properties that are complete. */
static bool needs_pair_end(const struct message_draft *draft)
{
	for (uint32_t i = draft->part_count; draft->checksum && i > 0; i--) {
		const struct gantry_str *part = &draft->properties[i - 1];

		if (part->size)
			return part->at[part->size - 1] != PAIR_END;
	}
	return false;
}

int message_draft_finish(struct message_draft *draft)
{
	size_t properties = 0, size;
	bool long_topic = draft->topic.size > MESSAGE_TOPIC_V1_MAX &&
			  utf16_units(draft->topic) > MESSAGE_TOPIC_V1_MAX;

	for (uint32_t i = 0; i < draft->part_count; i++)
		properties += draft->properties[i].size;
	if (draft->checksum)
		properties += MESSAGE_CHECKSUM_BYTES + needs_pair_end(draft);
	if (properties > MESSAGE_PROPERTIES_MAX || draft->body.size > INT32_MAX ||
	    draft->topic.size > (long_topic ? INT16_MAX : INT8_MAX))
		return -EMSGSIZE;
	draft->magic = long_topic ? MESSAGE_MAGIC_V2 : MESSAGE_MAGIC_V1;
	draft->properties_size = (uint16_t)properties;
	draft->sys_flag &= ~(MESSAGE_BORN_HOST_V6 | MESSAGE_STORE_HOST_V6);
	if (draft->born_host.ip_size == 16)
		draft->sys_flag |= MESSAGE_BORN_HOST_V6;
	if (draft->store_host.ip_size == 16)
		draft->sys_flag |= MESSAGE_STORE_HOST_V6;
	size = bare_bytes(draft->magic) + host_bytes(draft->sys_flag) + draft->body.size +
	       draft->topic.size + properties;
	if (size > INT32_MAX)
		return -EMSGSIZE;
	draft->size = (uint32_t)size;
	return 0;
}

static uint8_t *put_host(uint8_t *to, const struct gantry_address *host)
{
	size_t ip_size = host->ip_size == 16 ? 16 : 4;

	memcpy(to, host->ip, ip_size);
	return message_put32(to + ip_size, host->port);
}

static uint8_t *put_text(uint8_t *to, struct gantry_str text)
{
	if (text.size)
		memcpy(to, text.at, text.size);
	return to + text.size;
}

void message_record_write(const struct message_draft *draft, uint8_t *to, int64_t queue_offset,
			  uint64_t physical_offset, int64_t store_ms)
{
	const uint8_t *record = to;

	to = message_put32(to, draft->size);
	to = message_put32(to, (uint32_t)draft->magic);
	to = message_put32(to, (uint32_t)draft->body_crc);
	to = message_put32(to, (uint32_t)draft->queue);
	to = message_put32(to, (uint32_t)draft->flag);
	to = message_put64(to, (uint64_t)queue_offset);
	to = message_put64(to, physical_offset);
	to = message_put32(to, (uint32_t)draft->sys_flag);
	to = message_put64(to, (uint64_t)draft->born_ms);
	to = put_host(to, &draft->born_host);
	to = message_put64(to, (uint64_t)store_ms);
	to = put_host(to, &draft->store_host);
	to = message_put32(to, (uint32_t)draft->reconsume_times);
	to = message_put64(to, (uint64_t)draft->prepared_offset);
	to = message_put32(to, (uint32_t)draft->body.size);
	to = put_text(to, draft->body);
	if (draft->magic == MESSAGE_MAGIC_V2)
		to = message_put16(to, (uint16_t)draft->topic.size);
	else
		*to++ = (uint8_t)draft->topic.size;
	to = put_text(to, draft->topic);
	to = message_put16(to, draft->properties_size);
	for (uint32_t i = 0; i < draft->part_count; i++)
		to = put_text(to, draft->properties[i]);
	if (needs_pair_end(draft))
		*to++ = PAIR_END;
	if (draft->checksum)
		message_checksum_write(record, to);
}
