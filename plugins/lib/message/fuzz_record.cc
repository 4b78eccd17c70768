// SPDX-License-Identifier: Apache-2.0
// Any bytes as a piece of the log: what is read lies inside, and what is whole is written back the
// same.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "message/properties.h"
#include "message/record.h"

static void check_inside(const std::vector<uint8_t> &bytes, gantry_str text)
{
	const auto *at = (const uint8_t *)text.at;

	if (text.size && (at < bytes.data() || at + text.size > bytes.data() + bytes.size()))
		abort();
}

static void write_back(const message_record &record, const std::vector<uint8_t> &bytes)
{
	message_draft draft = {};

	draft.topic = record.topic;
	draft.body = record.body;
	draft.properties[0] = record.properties;
	draft.part_count = 1;
	draft.body_crc = record.body_crc;
	draft.queue = record.queue;
	draft.flag = record.flag;
	draft.sys_flag = record.sys_flag;
	draft.reconsume_times = record.reconsume_times;
	draft.born_ms = record.born_ms;
	draft.prepared_offset = record.prepared_offset;
	draft.born_host = record.born_host;
	draft.store_host = record.store_host;
	if (message_draft_finish(&draft) || draft.magic != record.magic)
		return;
	std::vector<uint8_t> again(draft.size);
	message_record_write(&draft, again.data(), record.queue_offset,
			     (uint64_t)record.physical_offset, record.store_ms);
	message_record back;
	if (message_record_read(again.data(), again.size(), false, &back) != MESSAGE_WHOLE ||
	    back.size > bytes.size() || back.body.size != record.body.size ||
	    back.store_ms != record.store_ms || back.topic.size != record.topic.size)
		abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	std::vector<uint8_t> bytes(data, data + size);
	message_record record = {};

	if (message_record_read(bytes.data(), bytes.size(), size & 1, &record) != MESSAGE_WHOLE)
		return 0;
	check_inside(bytes, record.body);
	check_inside(bytes, record.topic);
	check_inside(bytes, record.properties);
	gantry_str rest = record.properties;
	message_property property;
	while (message_property_next(&rest, &property)) {
		check_inside(bytes, property.pair);
		message_java_hash(property.value);
	}
	write_back(record, bytes);
	return 0;
}
