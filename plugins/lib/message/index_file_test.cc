// SPDX-License-Identifier: Apache-2.0
// The IndexFile's codec against what RocketMQ 5.5.0's own class wrote and found:
// testdata/MakeIndexFile.java made these bytes.
#include <gtest/gtest.h>

#include <climits>
#include <string>
#include <vector>

#include "message/bytes.h"
#include "message/index_file.h"

namespace
{

const message_index_shape shape = {5, 9};
const int64_t began = 1700000000000;

const char first_file[] =
	"0000018bcfe568000000018bcfe57b2400000100000000000000010000001b580000000300000009"
	"00000007000000000000000600000008000000000000000000000000000000000000000000000000"
	"1f50d9ed00000100000000000000000000000000317f71fe00000100000003e80000000000000000"
	"6793286e00000100000007d000000001000000010aeea7fd0000010000000bb80000000200000002"
	"352354f80000010000000fa000000002000000033d0da5a800000100000013880000000300000000"
	"415ecf3600000100000017700000000400000005317f71fe0000010000001b580000000400000004";
const char second_file[] =
	"0000018bcfe59eb00000018bcfe5a16c0000010000004e2000000100000052080000000100000003"
	"00000002000000000000000000000000000000000000000000000000000000000000000000000000"
	"000000000000010000004e2000000009000000001f50d9ed00000100000052080000000000000001"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000";

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

std::vector<uint8_t> unhex(const std::string &hex)
{
	std::vector<uint8_t> out;
	for (size_t i = 0; i < hex.size(); i += 2)
		out.push_back((uint8_t)std::stoi(hex.substr(i, 2), nullptr, 16));
	return out;
}

// A file in memory, written as the store writes one on disk.
struct File {
	explicit File(const File *before = nullptr) : bytes(message_index_size(&shape))
	{
		message_index_begin(&header, before ? &before->header : nullptr);
	}
	bool put(uint32_t hash, int i)
	{
		if (message_index_is_full(&header, &shape))
			return false;
		uint8_t *slot = &bytes[message_index_slot_at(hash % shape.slots)];
		message_index_entry entry;
		uint32_t number = message_index_add(&header, hash, 1000 * i + (INT64_C(1) << 40),
						    began + 700 * i, message_get32(slot), &entry);
		message_put32(slot, number);
		message_index_entry_write(&entry, &bytes[message_index_entry_at(&shape, number)]);
		message_index_header_write(&header, bytes.data());
		return true;
	}
	bool put(const char *key, int i)
	{
		return put(message_index_hash(str("Topic"), str(key)), i);
	}
	std::vector<int64_t> find(const char *key, uint32_t max, int64_t begin, int64_t end)
	{
		message_index_search search = {message_index_hash(str("Topic"), str(key)),
					       began + begin, began + end};
		std::vector<int64_t> found(max);
		int count = message_index_find(bytes.data(), bytes.size(), &shape, &search, max,
					       found.data());
		EXPECT_GE(count, 0);
		found.resize((size_t)(count > 0 ? count : 0));
		return found;
	}
	bool has_time(int64_t begin, int64_t end)
	{
		return message_index_has_time(&header, began + begin, began + end);
	}
	message_index_header header;
	std::vector<uint8_t> bytes;
};

// What MakeIndexFile.java puts.
struct Index : ::testing::Test {
	Index() : first(), second(nullptr)
	{
		const char *keys[] = {"a",      "order-1", "7F000001ABCD18B4AAC20000",
				      "Grüße",  "钥匙",    "😀key",
				      "T#TagA", "order-1"};
		int i = 0;
		for (const char *key : keys)
			EXPECT_TRUE(first.put(key, i++));
		EXPECT_FALSE(first.put("order-1", i));
		second = File(&first);
		second.put("G3A321q", 20);
		second.put("a", 21);
	}
	File first, second;
};

using Offsets = std::vector<int64_t>;

TEST_F(Index, WritesWhatJavaWrites)
{
	EXPECT_EQ(first.bytes, unhex(first_file));
	EXPECT_EQ(second.bytes, unhex(second_file));
}

TEST_F(Index, FindsWhatJavaFinds)
{
	EXPECT_EQ(first.find("order-1", 9, 0, 100000), (Offsets{1099511634776, 1099511628776}));
	EXPECT_EQ(first.find("order-1", 1, 0, 100000), (Offsets{1099511634776}));
	EXPECT_EQ(first.find("order-1", 9, 0, 1000), (Offsets{1099511628776}));
	EXPECT_EQ(first.find("order-1", 9, 3000, 5000), (Offsets{1099511634776}));
	EXPECT_EQ(first.find("a", 9, 0, 0), (Offsets{1099511627776}));
	EXPECT_EQ(first.find("none", 9, 0, 100000), Offsets());
	EXPECT_EQ(first.find("a", 9, -5000, -1), Offsets());
	EXPECT_EQ(second.find("a", 9, 0, 100000), (Offsets{1099511648776}));
	EXPECT_EQ(second.find("G3A321q", 9, 0, 100000), (Offsets{1099511647776}));
	EXPECT_TRUE(first.has_time(0, 0));
	EXPECT_TRUE(first.has_time(-1, 100000));
	EXPECT_TRUE(first.has_time(-1, 0));
	EXPECT_FALSE(first.has_time(-5000, -1));
	EXPECT_FALSE(first.has_time(100000, 200000));
}

TEST_F(Index, ReadsWhatItWrote)
{
	message_index_header header;
	message_index_header_read(second.bytes.data(), &shape, &header);
	EXPECT_EQ(header.begin_ms, began + 14000);
	EXPECT_EQ(header.end_at, 1099511648776);
	EXPECT_EQ(header.used_slots, 1u); // both keys in one
	EXPECT_EQ(header.next, 3u);
	message_index_entry entry;
	message_index_entry_read(&second.bytes[message_index_entry_at(&shape, 1)], &entry);
	EXPECT_EQ(entry.hash, 0u);
	EXPECT_EQ(entry.seconds, 9); // since the last of the file before
	EXPECT_EQ(entry.previous, 0);
}

TEST_F(Index, TagsHaveAKindOfTheirOwn)
{
	EXPECT_EQ(message_index_tag_hash(str("Topic"), str("TagA")),
		  message_index_hash(str("Topic"), str("T#TagA")));
	EXPECT_EQ(message_index_hash(str("Topic"), str("G3A321q")), 0u);
}

TEST_F(Index, BadCountsAreJavas)
{
	message_index_header header;
	message_put32(&first.bytes[36], (uint32_t)-7);
	message_index_header_read(first.bytes.data(), &shape, &header);
	EXPECT_EQ(header.next, 1u);
	EXPECT_EQ(first.find("a", 9, 0, 100000), Offsets());
	message_put32(&first.bytes[36], INT32_MAX);
	message_index_header_read(first.bytes.data(), &shape, &header);
	EXPECT_EQ(header.next, shape.entries);
	EXPECT_EQ(first.find("a", 9, 0, 100000), (Offsets{1099511627776}));
}

TEST_F(Index, DamagedChainsEnd)
{
	uint8_t *entry = &first.bytes[message_index_entry_at(&shape, 8)];
	message_put32(entry + 16, 8); // itself
	EXPECT_EQ(first.find("order-1", 9, 0, 100000), (Offsets{1099511634776}));
	message_put32(entry + 16, 100);
	EXPECT_EQ(first.find("order-1", 9, 0, 100000), (Offsets{1099511634776}));
	message_put32(entry + 16, (uint32_t)-1);
	EXPECT_EQ(first.find("order-1", 9, 0, 100000), (Offsets{1099511634776}));
	message_put32(entry + 12, (uint32_t)-1); // a time before the file's
	EXPECT_EQ(first.find("order-1", 9, 0, 100000), Offsets());
	uint32_t hash = message_index_hash(str("Topic"), str("order-1"));
	message_put32(&first.bytes[message_index_slot_at(hash % shape.slots)], UINT32_MAX);
	EXPECT_EQ(first.find("order-1", 9, 0, 100000), Offsets());
}

TEST_F(Index, ShapesAreChecked)
{
	const message_index_shape usual = {5000000, 20000000}, none = {0, 9}, empty = {5, 0},
				  large = {5000000, 200000000};
	EXPECT_EQ(message_index_size(&usual), 420000040u);
	EXPECT_EQ(message_index_size(&none), 0u);
	EXPECT_EQ(message_index_size(&empty), 0u);
	EXPECT_EQ(message_index_size(&large), 0u);
	message_index_search search = {};
	int64_t found;
	EXPECT_EQ(message_index_find(first.bytes.data(), first.bytes.size() - 1, &shape, &search, 1,
				     &found),
		  -EUCLEAN);
	EXPECT_EQ(message_index_find(first.bytes.data(), 0, &none, &search, 1, &found), -EUCLEAN);
}

} // namespace
