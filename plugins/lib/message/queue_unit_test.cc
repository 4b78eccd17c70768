// SPDX-License-Identifier: Apache-2.0
// Units of queues and the checkpoint, against vectors computed from RocketMQ's rules.
#include <gtest/gtest.h>

#include <cerrno>
#include <climits>
#include <string>

#include "message/bytes.h"
#include "message/checkpoint.h"
#include "message/queue_unit.h"

namespace
{

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

int64_t tags_code(const std::string &topic, const std::string &properties)
{
	message_record record = {};
	message_delays delays;
	std::string text = properties;

	EXPECT_EQ(message_delays_read("1s 5s 10s", &delays), 0);
	record.topic = str(topic);
	record.properties = str(text);
	record.store_ms = 1000000;
	return message_record_tags_code(&record, &delays);
}

TEST(QueueUnit, IsTheVectorBothWays)
{
	const uint8_t vector[] = {0, 0,    0, 0, 0, 0, 0x10, 0,    0,    0,
				  0, 0xb1, 0, 0, 0, 0, 0,    0x27, 0xa8, 7};
	uint8_t again[MESSAGE_UNIT_SIZE];
	queue_unit unit;

	message_unit_read(vector, &unit);
	EXPECT_EQ(unit.physical_offset, 4096);
	EXPECT_EQ(unit.size, 177);
	EXPECT_EQ(unit.tags_code, 2598919);
	message_unit_write(again, &unit);
	EXPECT_EQ(memcmp(vector, again, sizeof(again)), 0);
}

TEST(QueueUnit, KeepsTheHashOfTagsOrTheTimeOfDelivery)
{
	EXPECT_EQ(tags_code("T", "TAGS\1TagA\2"), 2598919);
	EXPECT_EQ(tags_code("T", "KEYS\1a\2"), 0);
	EXPECT_EQ(tags_code("T", "TAGS\1polygenelubricants\2"), INT32_MIN);
	EXPECT_EQ(tags_code("T", "TAGS\1TagA\2DELAY\1"
				 "2\2"),
		  2598919);
	EXPECT_EQ(tags_code("SCHEDULE_TOPIC_XXXX", "TAGS\1TagA\2DELAY\1"
						   "2\2"),
		  1005000);
	EXPECT_EQ(tags_code("SCHEDULE_TOPIC_XXXX", "TAGS\1TagA\2DELAY\1x\2"), 2598919);
	EXPECT_EQ(tags_code("SCHEDULE_TOPIC_XXXX", "TAGS\1TagA\2DELAY\1"
						   "0\2"),
		  2598919);
}

TEST(QueueUnit, PreparedAndRolledBackAreInNoQueue)
{
	message_record record = {};

	for (int32_t flag : {0, (int)MESSAGE_COMMITTED, (int)MESSAGE_COMPRESSED}) {
		record.sys_flag = flag;
		EXPECT_TRUE(message_record_is_queued(&record)) << flag;
	}
	for (int32_t flag : {(int)MESSAGE_PREPARED, (int)MESSAGE_ROLLED_BACK}) {
		record.sys_flag = flag;
		EXPECT_FALSE(message_record_is_queued(&record)) << flag;
	}
}

TEST(BatchUnit, ReadsItsFields)
{
	uint8_t bytes[MESSAGE_BATCH_UNIT_SIZE] = {};
	uint8_t *to = bytes;
	batch_unit unit;

	to = message_put64(to, 4096);
	to = message_put32(to, 300);
	to = message_put64(to, (uint64_t)-5);
	to = message_put64(to, 1700000000000);
	to = message_put64(to, 70);
	to = message_put16(to, 9);
	message_put32(to, UINT32_MAX);
	message_batch_unit_read(bytes, &unit);
	EXPECT_EQ(unit.physical_offset, 4096);
	EXPECT_EQ(unit.size, 300);
	EXPECT_EQ(unit.tags_code, -5);
	EXPECT_EQ(unit.store_ms, 1700000000000);
	EXPECT_EQ(unit.base_offset, 70);
	EXPECT_EQ(unit.count, 9);
	EXPECT_EQ(unit.compacted, -1);
}

TEST(ExtUnit, AddressesAreBelowEveryHash)
{
	uint64_t at = 7;

	EXPECT_FALSE(message_unit_ext_address(0, &at));
	EXPECT_FALSE(message_unit_ext_address(INT32_MIN, &at));
	EXPECT_EQ(at, 7u);
	EXPECT_TRUE(message_unit_ext_address((int64_t)INT32_MIN - 1, &at));
	EXPECT_TRUE(message_unit_ext_address(INT64_MIN + 48, &at));
	EXPECT_EQ(at, 48u);
}

TEST(ExtUnit, ReadsAndRefuses)
{
	uint8_t bytes[34] = {};
	ext_unit unit;

	message_put16(bytes, 34);
	message_put64(bytes + 2, 2598919);
	message_put64(bytes + 10, 1700000000000);
	message_put16(bytes + 18, 14);
	ASSERT_EQ(message_ext_unit_read(bytes, sizeof(bytes), &unit), 1);
	EXPECT_EQ(unit.size, 34);
	EXPECT_EQ(unit.tags_code, 2598919);
	EXPECT_EQ(unit.store_ms, 1700000000000);
	EXPECT_EQ(unit.bitmap.size, 14u);
	EXPECT_EQ(message_ext_unit_read(bytes, 33, &unit), -EBADMSG);
	EXPECT_EQ(message_ext_unit_read(bytes, 1, &unit), -EBADMSG);
	message_put16(bytes + 18, 15);
	EXPECT_EQ(message_ext_unit_read(bytes, sizeof(bytes), &unit), -EBADMSG);
	message_put16(bytes, 19);
	EXPECT_EQ(message_ext_unit_read(bytes, sizeof(bytes), &unit), -EBADMSG);
	message_put16(bytes, UINT16_MAX);
	EXPECT_EQ(message_ext_unit_read(bytes, sizeof(bytes), &unit), 0);
	message_put16(bytes, 0);
	EXPECT_EQ(message_ext_unit_read(bytes, sizeof(bytes), &unit), 0);
}

TEST(ExtUnit, ComesBack)
{
	ext_unit unit = {-7, 1700000000000}, back = {};
	uint8_t bytes[MESSAGE_EXT_UNIT_MIN];
	uint64_t at;

	message_ext_unit_write(bytes, &unit);
	EXPECT_EQ(message_ext_unit_read(bytes, sizeof(bytes), &back), 1);
	EXPECT_EQ(back.tags_code, -7);
	EXPECT_EQ(back.store_ms, 1700000000000);
	EXPECT_EQ(back.size, 20);
	EXPECT_EQ(back.bitmap.size, 0u);
	EXPECT_TRUE(message_unit_ext_address((int64_t)message_ext_unit_address(48), &at));
	EXPECT_EQ(at, 48u);
}

TEST(Checkpoint, ComesBackAndIsSafeThreeSecondsEarlier)
{
	message_checkpoint point = {5000, 4000, 3, 2, 1, 7}, back;
	uint8_t bytes[MESSAGE_CHECKPOINT_USED];

	message_checkpoint_write(bytes, &point);
	EXPECT_EQ(message_get64(bytes + 32), 1u);
	EXPECT_EQ(message_get64(bytes + MESSAGE_CHECKPOINT_LOGICS_AT), 7u);
	message_checkpoint_read(bytes, &back);
	EXPECT_EQ(memcmp(&point, &back, sizeof(point)), 0);
	EXPECT_EQ(message_checkpoint_safe_ms(&point), 1000);
	point.logics_ms = 2999;
	EXPECT_EQ(message_checkpoint_safe_ms(&point), 0);
}

} // namespace
