// SPDX-License-Identifier: Apache-2.0
// The message library against vectors that were computed from RocketMQ's rules by other means.
#include <gtest/gtest.h>

#include <cerrno>
#include <climits>
#include <ctime>
#include <string>
#include <vector>

#include "message/batch.h"
#include "message/bytes.h"
#include "message/checksum.h"
#include "message/delay.h"
#include "message/id.h"
#include "message/name.h"
#include "message/properties.h"
#include "message/record.h"

namespace
{

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

std::string text(gantry_str s)
{
	return s.at ? std::string(s.at, s.size) : "(none)";
}

std::string unhex(const std::string &hex)
{
	std::string out;
	for (size_t i = 0; i + 1 < hex.size(); i += 2)
		out += (char)std::stoi(hex.substr(i, 2), nullptr, 16);
	return out;
}

gantry_address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
	gantry_address address = {};
	address.ip[0] = a;
	address.ip[1] = b;
	address.ip[2] = c;
	address.ip[3] = d;
	address.ip_size = 4;
	address.port = port;
	return address;
}

gantry_address v6(uint16_t port)
{
	gantry_address address = {};
	for (int i = 0; i < 16; i++)
		address.ip[i] = (uint8_t)(0x20 + i);
	address.ip_size = 16;
	address.port = port;
	return address;
}

const std::string kProperties =
	"UNIQ_KEY\1AC1100015B5C18B4AAC20000000A0000\2TAGS\1TagA\2KEYS\1KEY_1\2";

const std::string kRecord =
	unhex("000000b1daa320a769c865ed000000030000000000000000000000070000000000001000"
	      "000000000000018bcfe56800c0a8010a0000c3500000018bcfe5687bc0a8010a00002a9f"
	      "0000000000000000000000000000000e48656c6c6f20526f636b65744d5109546f706963"
	      "54657374003f554e49515f4b455901414331313030303135423543313842344141433230"
	      "303030303030413030303002544147530154616741024b455953014b45595f3102");

struct Draft {
	std::string body = "Hello RocketMQ", topic = "TopicTest", properties = kProperties;
	message_draft draft = {};

	int finish()
	{
		draft.topic = str(topic);
		draft.body = str(body);
		draft.properties[0] = str(properties);
		draft.part_count = 1;
		draft.body_crc = message_body_crc(body.data(), body.size());
		draft.queue = 3;
		draft.born_ms = 1700000000000;
		if (!draft.born_host.ip_size)
			draft.born_host = v4(192, 168, 1, 10, 50000);
		if (!draft.store_host.ip_size)
			draft.store_host = v4(192, 168, 1, 10, 10911);
		return message_draft_finish(&draft);
	}

	std::string write()
	{
		std::string out(draft.size, '\xAA');
		message_record_write(&draft, (uint8_t *)out.data(), 7, 4096, 1700000000123);
		return out;
	}
};

message_scan scan(const std::string &bytes, message_record *ret, bool check_crc = true)
{
	return message_record_read((const uint8_t *)bytes.data(), bytes.size(), check_crc, ret);
}

TEST(Crc, IsTheCrc32WithoutItsSign)
{
	EXPECT_EQ(message_body_crc("Hello RocketMQ", 14), 1774740973);
	EXPECT_EQ(message_body_crc("a", 1), 1756872259);
	EXPECT_EQ(message_body_crc("", 0), 0);
}

TEST(Record, EndsWithAChecksumWhenAsked)
{
	for (const char *properties : {"", "a\001b\002", "a\001b"}) {
		message_record record;
		int64_t said;
		int32_t is;
		Draft d;

		d.properties = properties;
		d.draft.checksum = true;
		ASSERT_EQ(d.finish(), 0);
		std::string bytes = d.write();
		ASSERT_EQ(scan(bytes, &record), MESSAGE_WHOLE);
		EXPECT_EQ(record.properties.size,
			  d.properties.size() + 20 + (d.properties.size() == 3));
		ASSERT_EQ(message_checksum_read((uint8_t *)bytes.data(), &record, &is, &said), 0);
		EXPECT_EQ(is, said);
		bytes[5 + 20]++; /* the queue's offset */
		ASSERT_EQ(message_checksum_read((uint8_t *)bytes.data(), &record, &is, &said), 0);
		EXPECT_NE(is, said);
	}
}

TEST(Record, WithoutAChecksumSaysSo)
{
	message_record record;
	int64_t said;
	int32_t is;
	Draft d;

	ASSERT_EQ(d.finish(), 0);
	std::string bytes = d.write();
	ASSERT_EQ(scan(bytes, &record), MESSAGE_WHOLE);
	EXPECT_EQ(message_checksum_read((uint8_t *)bytes.data(), &record, &is, &said), -ENODATA);
}

TEST(Record, WritesTheVector)
{
	Draft d;
	ASSERT_EQ(d.finish(), 0);
	EXPECT_EQ(d.draft.size, 177u);
	EXPECT_EQ(d.write(), kRecord);
}

TEST(Record, ReadsTheVector)
{
	message_record r;
	ASSERT_EQ(scan(kRecord, &r), MESSAGE_WHOLE);
	EXPECT_EQ(r.size, 177u);
	EXPECT_EQ(r.queue, 3);
	EXPECT_EQ(r.queue_offset, 7);
	EXPECT_EQ(r.physical_offset, 4096);
	EXPECT_EQ(r.born_ms, 1700000000000);
	EXPECT_EQ(r.store_ms, 1700000000123);
	EXPECT_EQ(r.born_host.port, 50000);
	EXPECT_EQ(r.store_host.port, 10911);
	EXPECT_EQ(text(r.body), "Hello RocketMQ");
	EXPECT_EQ(text(r.topic), "TopicTest");
	EXPECT_EQ(text(r.properties), kProperties);
}

TEST(Record, ComesBackWithEveryFormOfHostAndTopic)
{
	for (int form = 0; form < 8; form++) {
		Draft d;
		if (form & 1)
			d.draft.born_host = v6(1);
		if (form & 2)
			d.draft.store_host = v6(2);
		if (form & 4)
			d.topic = "%RETRY%" + std::string(150, 'g');
		d.draft.sys_flag = MESSAGE_COMPRESSED;
		d.draft.prepared_offset = 77;
		d.draft.reconsume_times = 5;
		d.draft.flag = -3;
		ASSERT_EQ(d.finish(), 0);
		message_record r;
		std::string bytes = d.write();
		ASSERT_EQ(scan(bytes, &r), MESSAGE_WHOLE) << form;
		EXPECT_EQ(r.size, d.draft.size);
		EXPECT_EQ(r.magic, form & 4 ? MESSAGE_MAGIC_V2 : MESSAGE_MAGIC_V1);
		EXPECT_EQ(r.sys_flag, MESSAGE_COMPRESSED | (form & 1 ? MESSAGE_BORN_HOST_V6 : 0) |
					      (form & 2 ? MESSAGE_STORE_HOST_V6 : 0));
		EXPECT_EQ(memcmp(r.born_host.ip, d.draft.born_host.ip, r.born_host.ip_size), 0);
		EXPECT_EQ(memcmp(r.store_host.ip, d.draft.store_host.ip, r.store_host.ip_size), 0);
		EXPECT_EQ(r.store_ms, 1700000000123);
		EXPECT_EQ(r.prepared_offset, 77);
		EXPECT_EQ(r.reconsume_times, 5);
		EXPECT_EQ(r.flag, -3);
		EXPECT_EQ(text(r.topic), d.topic);
		EXPECT_EQ(text(r.body), d.body);
		EXPECT_EQ(text(r.properties), d.properties);
	}
}

TEST(Record, VersionFollowsJavaCharsNotBytes)
{
	Draft d;
	d.topic = std::string(127, 'x');
	ASSERT_EQ(d.finish(), 0);
	EXPECT_EQ(d.draft.magic, MESSAGE_MAGIC_V1);
	d.topic += 'x';
	ASSERT_EQ(d.finish(), 0);
	EXPECT_EQ(d.draft.magic, MESSAGE_MAGIC_V2);
	d.topic.clear();
	for (int i = 0; i < 60; i++)
		d.topic += "题"; /* 60 chars, 180 bytes: V1, whose one byte cannot say that */
	EXPECT_EQ(d.finish(), -EMSGSIZE);
	d.topic.clear();
	for (int i = 0; i < 64; i++)
		d.topic += "\xF0\x9F\x98\x80"; /* 128 chars */
	ASSERT_EQ(d.finish(), 0);
	EXPECT_EQ(d.draft.magic, MESSAGE_MAGIC_V2);
}

TEST(Record, PropertiesHaveALimit)
{
	Draft d;
	d.properties = std::string(MESSAGE_PROPERTIES_MAX, 'p');
	ASSERT_EQ(d.finish(), 0);
	message_record r;
	ASSERT_EQ(scan(d.write(), &r), MESSAGE_WHOLE);
	EXPECT_EQ(r.properties.size, (size_t)MESSAGE_PROPERTIES_MAX);
	d.properties += 'p';
	EXPECT_EQ(d.finish(), -EMSGSIZE);
}

TEST(Record, SaysWhatStandsThere)
{
	message_record r;
	EXPECT_EQ(scan(std::string(64, '\0'), &r), MESSAGE_NOTHING);
	EXPECT_EQ(scan("", &r), MESSAGE_SHORT);
	EXPECT_EQ(scan(kRecord.substr(0, 176), &r), MESSAGE_SHORT);
	EXPECT_EQ(r.size, 177u);
	EXPECT_EQ(scan(unhex("00000100cbd43194ffff"), &r), MESSAGE_BLANK);
	EXPECT_EQ(r.size, 256u);

	std::string bad = kRecord;
	bad[90] ^= 1; /* in the body */
	EXPECT_EQ(scan(bad, &r), MESSAGE_BAD_CRC);
	EXPECT_EQ(scan(bad, &r, false), MESSAGE_WHOLE);
	bad = kRecord;
	bad[3] = (char)0xb0; /* one byte too short for what is in it */
	EXPECT_EQ(scan(bad, &r), MESSAGE_BAD_SIZE);
	EXPECT_EQ(r.size, 176u);
	bad = kRecord;
	bad[3] = 20;
	EXPECT_EQ(scan(bad, &r), MESSAGE_NOTHING);
}

/* Whatever one byte is changed to, nothing outside the record is read (ASan looks on). */
TEST(Record, ClaimsItsSizeTwice)
{
	auto claims = [](const std::string &bytes, uint64_t at) {
		return message_record_claims((const uint8_t *)bytes.data(), bytes.size(), at);
	};

	for (bool wide : {false, true}) {
		Draft d;

		d.body = std::string(70000, 'b');
		if (wide)
			d.draft.born_host = d.draft.store_host = v6(1);
		ASSERT_EQ(d.finish(), 0);
		std::string head = d.write().substr(0, MESSAGE_HEAD_MAX);
		EXPECT_EQ(claims(head, 4096), d.draft.size);
		EXPECT_EQ(claims(head, 4097), 0u) << "it stands elsewhere";
		EXPECT_EQ(claims(head.substr(0, MESSAGE_HEAD_MAX - 1), 4096), 0u);
		for (int bit = 17; bit < 32; bit++) {
			std::string flipped = head;
			flipped[(size_t)(3 - bit / 8)] ^= (char)(1 << bit % 8);
			EXPECT_EQ(claims(flipped, 4096), 0u) << bit;
		}
	}
}

TEST(Record, SurvivesEveryDamagedByte)
{
	for (size_t at = 0; at < kRecord.size(); at++) {
		for (int value : {0, 1, 0x7F, 0x80, 0xFF}) {
			std::vector<uint8_t> bytes(kRecord.begin(), kRecord.end());
			bytes[at] = (uint8_t)value;
			message_record r = {};
			message_scan is =
				message_record_read(bytes.data(), bytes.size(), false, &r);
			if (is == MESSAGE_WHOLE) {
				EXPECT_EQ(r.size, bytes.size());
			}
		}
	}
}

TEST(Properties, AreReadAsJavaDoes)
{
	std::string all = "A\1"
			  "1\2"
			  "B\1\2\1x\2noseparator\2\2"
			  "C\1"
			  "3\1"
			  "4\2"
			  "A\1"
			  "9";
	gantry_str rest = str(all);
	message_property p;
	std::string seen;
	while (message_property_next(&rest, &p))
		seen += text(p.key) + "=" + text(p.value) + ";";
	EXPECT_EQ(seen, "A=1;C=3\1"
			"4;A=9;");
	EXPECT_EQ(text(message_property_find(str(all), str("A"))), "9");
	EXPECT_EQ(text(message_property_find(str(all), str("B"))), "(none)");
	EXPECT_EQ(text(message_property_find(str(kProperties), str("TAGS"))), "TagA");
	EXPECT_EQ(text(message_property_find({nullptr, 0}, str("TAGS"))), "(none)");
}

TEST(Properties, AreWrittenIfThereIsRoom)
{
	char room[8];
	EXPECT_EQ(message_property_write(room, sizeof(room), str("KEY"), str("val")), 8u);
	EXPECT_EQ(std::string(room, 8), "KEY\1val\2");
	EXPECT_EQ(message_property_write(room, 7, str("KEY"), str("val")), 0u);
}

TEST(Properties, PiecesJoinAndAreSeparated)
{
	std::string a = "A\1"
			"1\2B\1"
			"2\2C\1"
			"3",
		    add = "D\1"
			  "4\2";
	gantry_str at[4];
	message_pieces pieces = {at, 0, 4, 0};
	EXPECT_EQ(message_pieces_add(&pieces, {a.data(), 4}), 0);
	EXPECT_EQ(message_pieces_add(&pieces, {a.data() + 4, 4}), 0);
	EXPECT_EQ(pieces.count, 1u); /* they touch */
	EXPECT_EQ(message_pieces_add(&pieces, {a.data() + 8, 3}), 0);
	EXPECT_EQ(pieces.count, 1u);
	EXPECT_EQ(message_pieces_add(&pieces, str(add)), 0);
	std::string all;
	for (uint32_t i = 0; i < pieces.count; i++)
		all += text(at[i]);
	EXPECT_EQ(all, "A\1"
		       "1\2B\1"
		       "2\2C\1"
		       "3\2D\1"
		       "4\2");
	EXPECT_EQ(pieces.size, all.size());
	EXPECT_EQ(message_pieces_add(&pieces, str(a)), 0);
	EXPECT_EQ(message_pieces_add(&pieces, str(add)), -ENOSPC);
}

TEST(JavaHash, RunsOverUtf16Units)
{
	EXPECT_EQ(message_java_hash(str("")), 0);
	EXPECT_EQ(message_java_hash(str("a")), 97);
	EXPECT_EQ(message_java_hash(str("TagA")), 2598919);
	EXPECT_EQ(message_java_hash(str("标签")), 857175);
	EXPECT_EQ(message_java_hash(str("a\xF0\x9F\x98\x80")), 1866116);
	EXPECT_EQ(message_java_hash(str("polygenelubricants")), INT_MIN);
	EXPECT_EQ(message_java_hash(str("TopicTest#KEY_1")), 173554031);
	EXPECT_EQ(message_java_hash(str("\xFF")), 0xFFFD);
	EXPECT_EQ(message_java_hash(str("\xE6\xA0")), 0xFFFD);
}

TEST(TagsCode, KeepsTheSign)
{
	EXPECT_EQ(message_tags_code(str("polygenelubricants")), INT64_C(-2147483648));
	EXPECT_EQ(message_tags_code({nullptr, 0}), 0);
}

TEST(OffsetId, ComesAndGoes)
{
	char id[MESSAGE_ID_MAX];
	gantry_address host = v4(192, 168, 1, 10, 10911), back;
	uint64_t offset;
	uint32_t size = message_offset_id(&host, 4096, id);
	EXPECT_EQ(std::string(id, size), "C0A8010A00002A9F0000000000001000");
	ASSERT_EQ(message_offset_id_read({id, size}, &back, &offset), 0);
	EXPECT_EQ(offset, 4096u);
	EXPECT_EQ(memcmp(&back, &host, sizeof(host)), 0);

	host = v6(10911);
	size = message_offset_id(&host, 1, id);
	EXPECT_EQ(size, 56u);
	ASSERT_EQ(message_offset_id_read({id, size}, &back, &offset), 0);
	EXPECT_EQ(memcmp(&back, &host, sizeof(host)), 0);
}

TEST(OffsetId, RefusesWhatIsNone)
{
	gantry_address host;
	uint64_t offset;
	for (const char *bad :
	     {"", "C0A8010A00002A9F000000000000100", "C0A8010A00002A9F00000000000010000",
	      "C0A8010A00002A9F000000000000100G", "C0A8010A00012A9F0000000000001000"})
		EXPECT_EQ(message_offset_id_read(str(bad), &host, &offset), -EINVAL) << bad;
}

TEST(UniqueKey, IsMadeOfItsParts)
{
	setenv("TZ", "UTC", 1);
	tzset();
	message_unique unique;
	gantry_address host = v4(10, 0, 0, 1, 0);
	char id[MESSAGE_ID_MAX];
	message_unique_init(&unique, &host, 0x1234, 0xABCD0001);
	/* 2023-11-14 22:13:20 is 1203200 s into its month */
	uint32_t size = message_unique_next(&unique, 1700000000000, id);
	EXPECT_EQ(std::string(id, size), "0A0000011234ABCD000147B760000000");
	size = message_unique_next(&unique, 1700000000000, id);
	EXPECT_EQ(std::string(id, size), "0A0000011234ABCD000147B760000001");
	size = message_unique_next(&unique, 1701388800000, id); /* 2023-12-01 */
	EXPECT_EQ(std::string(id, size), "0A0000011234ABCD0001000000000002");
	host = v6(0);
	message_unique_init(&unique, &host, 1, 2);
	EXPECT_EQ(message_unique_next(&unique, 1700000000000, id), 56u);
}

std::string item(int32_t flag, const std::string &body, const std::string &properties)
{
	std::string out(20, '\0');
	uint8_t *at = (uint8_t *)out.data();
	message_put32(at, (uint32_t)(22 + body.size() + properties.size()));
	message_put32(at + 12, (uint32_t)flag);
	message_put32(at + 16, (uint32_t)body.size());
	out += body;
	out += (char)(properties.size() >> 8);
	out += (char)properties.size();
	return out + properties;
}

TEST(Batch, GivesItsItems)
{
	std::string batch = item(1, "one",
				 "A\1"
				 "1\2") +
			    item(2, "", "");
	gantry_str rest = str(batch);
	message_batch_item i;
	ASSERT_EQ(message_batch_next(&rest, &i), 1);
	EXPECT_EQ(i.flag, 1);
	EXPECT_EQ(text(i.body), "one");
	EXPECT_EQ(text(i.properties), "A\1"
				      "1\2");
	ASSERT_EQ(message_batch_next(&rest, &i), 1);
	EXPECT_EQ(i.body.size, 0u);
	EXPECT_EQ(message_batch_next(&rest, &i), 0);
}

TEST(Batch, RefusesSizesThatDoNotAddUp)
{
	std::string good = item(1, "one",
				"A\1"
				"1\2");
	message_batch_item i;
	for (size_t at = 0; at < good.size(); at++) {
		std::vector<char> cut(good.begin(), good.begin() + (long)at);
		gantry_str rest = {cut.data(), cut.size()};
		EXPECT_EQ(message_batch_next(&rest, &i), at ? -EBADMSG : 0) << at;
	}
	for (size_t at : {0u, 3u, 16u, 19u, 23u, 24u}) {
		std::string bad = good;
		bad[at] ^= 0x41;
		gantry_str rest = str(bad);
		EXPECT_EQ(message_batch_next(&rest, &i), -EBADMSG) << at;
	}
}

TEST(Delays, AreReadAndAdded)
{
	message_delays delays;
	ASSERT_EQ(message_delays_read("1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
				      &delays),
		  0);
	EXPECT_EQ(delays.count, 18u);
	EXPECT_EQ(message_deliver_ms(&delays, 1, 1000), 2000);
	EXPECT_EQ(message_deliver_ms(&delays, 18, 0), 7200000);
	EXPECT_EQ(message_deliver_ms(&delays, 99, 0), 7200000);
	ASSERT_EQ(message_delays_read("2d", &delays), 0);
	EXPECT_EQ(delays.ms[0], 172800000);
	for (const char *bad : {"s", "1", "1x", "1s5s", "-1s", "99999999999999999999s"})
		EXPECT_EQ(message_delays_read(bad, &delays), -EINVAL) << bad;
}

TEST(Names, AreJudgedInJavasOrder)
{
	EXPECT_EQ(message_name_check(str("%RETRY%g-1_x|"), 127), MESSAGE_NAME_GOOD);
	EXPECT_EQ(message_name_check({nullptr, 0}, 127), MESSAGE_NAME_BLANK);
	EXPECT_EQ(message_name_check(str(" \t"), 127), MESSAGE_NAME_BLANK);
	EXPECT_EQ(message_name_check(str("a b"), 127), MESSAGE_NAME_ILLEGAL);
	EXPECT_EQ(message_name_check(str("主题"), 127), MESSAGE_NAME_ILLEGAL);
	EXPECT_EQ(message_name_check(str(std::string(127, 'x')), 127), MESSAGE_NAME_GOOD);
	EXPECT_EQ(message_name_check(str(std::string(128, 'x')), 127), MESSAGE_NAME_LONG);
	EXPECT_TRUE(message_topic_is_retry(str("%RETRY%g")));
	EXPECT_FALSE(message_topic_is_retry(str("%RETRY")));
	EXPECT_TRUE(message_topic_is_dlq(str("%DLQ%g")));
}

} // namespace
