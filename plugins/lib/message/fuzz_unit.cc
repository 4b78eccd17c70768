// SPDX-License-Identifier: Apache-2.0
// Any bytes as units of each kind of queue and as a checkpoint: what can be written comes back, and
// what is borrowed lies inside.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "message/checkpoint.h"
#include "message/queue_unit.h"

static void read_unit(const uint8_t *bytes)
{
	uint8_t again[MESSAGE_UNIT_SIZE];
	uint64_t address;
	queue_unit unit;

	message_unit_read(bytes, &unit);
	message_unit_write(again, &unit);
	if (memcmp(bytes, again, sizeof(again)) != 0)
		abort();
	if (message_unit_ext_address(unit.tags_code, &address) && unit.tags_code >= INT32_MIN)
		abort();
}

static void read_ext(const uint8_t *bytes, size_t size)
{
	ext_unit unit;

	while (message_ext_unit_read(bytes, size, &unit) == 1) {
		if (unit.size > size ||
		    (const uint8_t *)unit.bitmap.at + unit.bitmap.size > bytes + unit.size)
			abort();
		bytes += unit.size;
		size -= unit.size;
	}
}

static void read_checkpoint(const uint8_t *bytes)
{
	uint8_t again[MESSAGE_CHECKPOINT_USED];
	message_checkpoint point;

	message_checkpoint_read(bytes, &point);
	message_checkpoint_write(again, &point);
	if (memcmp(bytes, again, sizeof(again)) != 0 || message_checkpoint_safe_ms(&point) < 0)
		abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	std::vector<uint8_t> bytes(data, data + size);
	batch_unit batch;

	read_ext(bytes.data(), bytes.size());
	if (size >= MESSAGE_UNIT_SIZE)
		read_unit(bytes.data());
	if (size >= MESSAGE_CHECKPOINT_USED)
		read_checkpoint(bytes.data());
	if (size >= MESSAGE_BATCH_UNIT_SIZE)
		message_batch_unit_read(bytes.data(), &batch);
	return 0;
}
