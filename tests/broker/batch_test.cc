/* SPDX-License-Identifier: Apache-2.0 */
/* Topics with queue.type=BatchCQ: a batch is one record and one entry, and takes as many offsets as
 * it has messages. */
#include <filesystem>
#include <fstream>
#include <functional>

#include <gtest/gtest.h>

#include "broker.h"
#include "message/properties.h"
#include "message/record.h"
#include "outside.h"
#include "session.h"
#include "store/internal.h"
#include "topics/topics.h"

namespace
{

const char small[] = "mapperFileSizeBatchConsumeQueue=230\n"; /* five entries a file */
const std::string unique = "UNIQ_KEY\1AAAA\2";

void make_topic(World &world)
{
	ASSERT_TRUE(topic_batch(make_topic(world, "TopicTest", "{\"queue.type\":\"BatchCQ\"}")));
}

Sent batch_of(int count, const std::string &name, const std::string &properties = unique)
{
	Sent sent;

	sent.flags = GANTRY_SEND_BATCH;
	sent.properties = properties;
	sent.body = "";
	for (int i = 0; i < count; i++)
		sent.body += batch_item(name + std::to_string(i));
	return sent;
}

message_record record_at(World &world, uint64_t at, std::string *bytes)
{
	message_record record = {};

	*bytes = world.message_at(at);
	EXPECT_EQ(MESSAGE_WHOLE, message_record_read((const uint8_t *)bytes->data(), bytes->size(),
						     true, &record));
	return record;
}

std::string value_of(const message_record &record, const std::string &key)
{
	gantry_str value = message_property_find(record.properties, {key.data(), key.size()});

	return value.at ? std::string(value.at, value.size) : "(none)";
}

/* Batches of three and single messages in turn. */
int64_t fill(World &world, int rounds)
{
	Session session(world);
	int64_t next = 0;

	for (int i = 0; i < rounds; i++) {
		Sent batch = session.send(batch_of(3, "b" + std::to_string(i) + "-")), one;

		EXPECT_EQ(GANTRY_SUCCESS, batch.code) << batch.remark;
		if (!i)
			next = batch.queue_offset;
		EXPECT_EQ(next, batch.queue_offset);
		EXPECT_EQ(1u, batch.offsets.size());
		one = session.send(one);
		EXPECT_EQ(next + 3, one.queue_offset);
		next += 4;
	}
	world.dispatched();
	return next;
}

/* The offsets at which entries begin, read by pulls of at most that many messages. */
std::vector<int64_t> read_all(World &world, int32_t at_once)
{
	std::vector<int64_t> found;
	Session session(world);
	Pulled pull;

	pull.max_messages = at_once;
	for (;;) {
		Pulled got = session.pull(pull);

		if (got.code != GANTRY_SUCCESS) {
			EXPECT_EQ(GANTRY_PULL_NOT_FOUND, got.code) << got.remark;
			return found;
		}
		EXPECT_EQ(got.next - pull.offset, got.count);
		found.push_back(pull.offset);
		pull.offset = got.next;
	}
}

void expect_bounds(World &world, int64_t wanted_min, int64_t wanted_max)
{
	world.aside([&] {
		int64_t min, max;

		queue_bounds(store_queue_named(world.messages(), {"TopicTest", 9}, 0), &min, &max);
		EXPECT_EQ(wanted_min, min);
		EXPECT_EQ(wanted_max, max);
	});
}

TEST(Batch, IsOneRecordThatSaysWhichOffsetsItHas)
{
	Folder folder;
	World world(folder.path());
	make_topic(world);
	Session session(world);
	std::string bytes;
	Sent one, sent;

	EXPECT_EQ(0, session.send(one).queue_offset);
	sent = session.send(batch_of(
		5, "m", unique + pairs({{"k", "v"}, {"INNER_NUM", "99"}, {"INNER_BASE", "7"}})));
	ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
	EXPECT_EQ(1, sent.queue_offset);
	EXPECT_EQ((uint32_t)GANTRY_SENT_INNER_BATCH, sent.ret_flags);
	EXPECT_EQ("AAAA", sent.transaction_id);
	message_record record = record_at(world, sent.offsets[0], &bytes);
	EXPECT_EQ(MESSAGE_INNER_BATCH | MESSAGE_NEED_UNWRAP, record.sys_flag & 0xC0);
	EXPECT_EQ("1", value_of(record, MESSAGE_INNER_BASE));
	EXPECT_EQ("5", value_of(record, MESSAGE_INNER_NUM));
	EXPECT_EQ("v", value_of(record, "k"));
	EXPECT_EQ("DefaultCluster", value_of(record, MESSAGE_CLUSTER));
	EXPECT_EQ(1, record.queue_offset);
	EXPECT_EQ(batch_of(5, "m").body, std::string(record.body.at, record.body.size));
	EXPECT_EQ(6, session.send(one).queue_offset);
}

TEST(Batch, WithoutAnIdOfItsOwnIsSplit)
{
	Folder folder;
	World world(folder.path());
	make_topic(world);
	Session session(world);
	Sent sent = session.send(batch_of(3, "m", ""));

	ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
	EXPECT_EQ(3u, sent.offsets.size());
	EXPECT_EQ(0u, sent.ret_flags);
	EXPECT_EQ(3u, read_all(world, 1).size());
}

TEST(Batch, IsPulledWholeAndCountsAsItsMessages)
{
	Folder folder;
	World world(folder.path(), small);
	make_topic(world);
	int64_t end = fill(world, 20);

	EXPECT_EQ(80, end);
	EXPECT_EQ(40u, read_all(world, 1).size());
	EXPECT_EQ(20u, read_all(world, 4).size());
	expect_bounds(world, 0, 80);
	Session session(world);
	Pulled pull;
	pull.offset = 41; /* in the middle of a batch */
	pull.max_messages = 4;
	pull = session.pull(pull);
	EXPECT_EQ(44, pull.next);
	EXPECT_EQ(4u, pull.count);
	EXPECT_EQ(2u, bodies(pull.bytes).size());
}

TEST(Batch, IsFoundByTime)
{
	Folder folder;
	World world(folder.path(), small);
	make_topic(world);
	fill(world, 6);
	world.aside([&] {
		queue *queue = store_queue_named(world.messages(), {"TopicTest", 9}, 0);
		int64_t ms = queue_store_ms(world.messages(), queue, 21);

		EXPECT_LE(queue_offset_by_time(world.messages(), queue, ms, false), 20);
		EXPECT_EQ(0, queue_offset_by_time(world.messages(), queue, 1, false));
		EXPECT_EQ(23, queue_offset_by_time(world.messages(), queue, ms + 100000, false));
		EXPECT_EQ(23, queue_offset_by_time(world.messages(), queue, INT64_MAX, true));
		EXPECT_EQ(0, queue_offset_by_time(world.messages(), queue, 1, true));
	});
}

TEST(Batch, GoesOnAfterAStopAndAfterACrash)
{
	Folder folder;
	{
		World world(folder.path(), small);
		make_topic(world);
		EXPECT_EQ(40, fill(world, 10));
	}
	in_a_process_that_dies(
		folder.path(), [](World &world) { EXPECT_EQ(80, fill(world, 10)); }, small);
	World world(folder.path(), small);

	EXPECT_EQ(40u, read_all(world, 1).size());
	EXPECT_EQ(120, fill(world, 10));
	EXPECT_EQ(60u, read_all(world, 1).size());
	expect_bounds(world, 0, 120);
}

TEST(Batch, IsBuiltAgainWhenItsEntriesAreGone)
{
	Folder folder;
	{
		World world(folder.path(), small);
		make_topic(world);
		fill(world, 10);
	}
	std::filesystem::remove_all(folder / "batchconsumequeue");
	std::filesystem::remove_all(folder / "consumequeue");
	std::ofstream(folder / "abort") << "1";
	World world(folder.path(), small);

	EXPECT_EQ(20u, read_all(world, 1).size());
	EXPECT_EQ(80, fill(world, 10));
}

TEST(Batch, IsRefusedWhereItCannotBe)
{
	Folder folder;
	World world(folder.path());
	Session session(world);
	Sent sent;

	sent.topic = "Other";
	sent.sys_flag = MESSAGE_INNER_BATCH;
	sent.properties = pairs({{"INNER_NUM", "3"}});
	EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(sent).code);
	make_topic(world);
	sent.topic = "TopicTest";
	EXPECT_EQ(0, session.send(sent).queue_offset);
	EXPECT_EQ(3, session.send(sent).queue_offset);
	for (const char *number : {"0", "-1", "32768", "x", "99999999999"}) {
		sent.properties = pairs({{"INNER_NUM", number}});
		EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(sent).code) << number;
	}
	sent.sys_flag = 0;
	EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(sent).code);
	Sent torn = batch_of(2, "m");
	torn.body.pop_back();
	EXPECT_EQ(GANTRY_MESSAGE_ILLEGAL, session.send(torn).code);
	EXPECT_EQ(2u, read_all(world, 1).size());
}

/* ---- old files */

const std::string old = std::string(small) + "mappedFileSizeCommitLog=65536\n"
					     "deleteWhen=04\nfileReservedTime=72\n";

/* Batches of three and single messages in turn, a KiB each. */
int64_t fill_old(World &world)
{
	Session session(world);
	Sent one, last;

	make_topic(world);
	one.body = std::string(1000, 'x');
	for (int i = 0; i < 20; i++) {
		std::vector<Sent> sent;

		for (int j = 0; j < 10; j++) {
			sent.push_back(batch_of(3, std::string(330, 'b') + std::to_string(j)));
			sent.push_back(one);
		}
		session.send(sent);
		last = sent.back();
	}
	world.dispatched();
	return last.queue_offset + 1;
}

/* The queue begins with the first message that is there, perhaps a batch. */
void expect_old_gone(World &world, const Folder &folder, int64_t count)
{
	Session session(world);
	Pulled pull;
	int64_t min = session.pull(pull).min;

	EXPECT_GT(min, count / 2);
	EXPECT_TRUE(min % 4 == 0 || min % 4 == 3) << min;
	EXPECT_LE(names(folder / "batchconsumequeue/TopicTest/0").size(), 18u);
	pull.offset = min;
	while (pull.offset < count) {
		Pulled got = session.pull(pull);

		ASSERT_EQ(GANTRY_SUCCESS, got.code) << pull.offset << got.remark;
		EXPECT_EQ(got.next - pull.offset, got.count);
		pull.offset = got.next;
	}
	EXPECT_EQ(count, pull.offset);
	pull.offset = min - 1;
	EXPECT_EQ(GANTRY_PULL_OFFSET_MOVED, session.pull(pull).code);
	expect_bounds(world, min, count);
}

/* All but the newest files of the log go. */
void expire(World &world, Outside &outside)
{
	outside.give(world);
	outside.set(10, 4);
	EXPECT_GT(look(world), 0);
}

void send_batch_at(World &world, int64_t offset)
{
	Session session(world);

	EXPECT_EQ(offset, session.send(batch_of(3, "new")).queue_offset);
	world.dispatched();
}

TEST(Batch, GoesWhenItIsOld)
{
	Folder folder;
	Outside outside;
	int64_t count;
	{
		World world(folder.path(), old);
		count = fill_old(world);
		written(world, "TopicTest");
		ASSERT_GE(names(folder / "batchconsumequeue/TopicTest/0").size(), 80u);
		expire(world, outside);
		expect_old_gone(world, folder, count);
	}
	World world(folder.path(), old); /* and from what is on the disk */
	expect_old_gone(world, folder, count);
	send_batch_at(world, count);
}

TEST(Batch, GoesWhenItIsOldAndNobodyReadsIt)
{
	Folder folder;
	Outside outside;
	int64_t count;
	{
		World world(folder.path(), old);
		count = fill_old(world);
	}
	World world(folder.path(), old);
	EXPECT_EQ(80u, names(folder / "batchconsumequeue/TopicTest/0").size());
	expire(world, outside);
	expect_old_gone(world, folder, count);
}

TEST(Batch, KeepsItsPlaceWhenAllOfItIsGone)
{
	Folder folder;
	Outside outside;
	int64_t count;
	{
		World world(folder.path(), old);
		count = fill_old(world);
		Session session(world);
		Sent other;

		other.topic = "Other";
		other.body = std::string(1000, 'x');
		std::vector<Sent> others(100, other);
		session.send(others);
		world.dispatched();
		expire(world, outside);
		expect_bounds(world, count, count);
	}
	World world(folder.path(), old);
	expect_bounds(world, count, count);
	send_batch_at(world, count);
	expect_bounds(world, count, count + 3);
}

/* ---- a cut, as replication asks for it */

/* Where the queue's entries are, and their messages. */
std::vector<queue_unit> entries(World &world)
{
	std::vector<queue_unit> found;

	world.aside([&] {
		queue *queue = store_queue_named(world.messages(), {"TopicTest", 9}, 0);
		int64_t at, max;

		queue_bounds(queue, &at, &max);
		while (at < max) {
			queue_unit unit;

			ASSERT_EQ(0, queue_read_unit(queue, at, &unit));
			EXPECT_EQ(at, unit.offset);
			found.push_back(unit);
			at += unit.count;
		}
		EXPECT_EQ(max, at);
	});
	return found;
}

/* The entries behind it go, those in memory and those in the file. */
TEST(Batch, IsCutAtAnyMessage)
{
	Folder folder;
	World world(folder.path(), small);
	make_topic(world);
	int64_t end = fill(world, 10);
	std::vector<queue_unit> before = entries(world);
	store *store = world.messages();

	ASSERT_EQ(20u, before.size());
	for (size_t cut = before.size(); cut-- > 0;) {
		world.aside([&] {
			queue *queue = store_queue_named(store, {"TopicTest", 9}, 0);

			pthread_mutex_lock(&store->file_lock);
			EXPECT_EQ(0, queue_cut(queue, (uint64_t)before[cut].physical_offset));
			pthread_mutex_unlock(&store->file_lock);
		});
		end = before[cut].offset;
		expect_bounds(world, 0, end);
		std::vector<queue_unit> after = entries(world);
		ASSERT_EQ(cut, after.size());
		for (size_t i = 0; i < cut; i++)
			EXPECT_EQ(before[i].physical_offset, after[i].physical_offset);
		EXPECT_EQ(cut, read_all(world, 1).size());
	}
	EXPECT_EQ(0, end);
}

/* The first entry that goes is the first of a file, or not. */
TEST(Batch, IsCutInItsFiles)
{
	Folder folder;
	World world(folder.path(), small);
	make_topic(world);
	fill(world, 10);
	std::vector<queue_unit> before = entries(world);
	store *store = world.messages();

	written(world, "TopicTest");
	for (size_t cut : {19, 16, 15, 14, 1, 0}) {
		world.aside([&] {
			queue *queue = store_queue_named(store, {"TopicTest", 9}, 0);

			pthread_mutex_lock(&store->file_lock);
			EXPECT_EQ(0, queue_cut(queue, (uint64_t)before[cut].physical_offset));
			pthread_mutex_unlock(&store->file_lock);
		});
		expect_bounds(world, 0, before[cut].offset);
		EXPECT_EQ(cut, read_all(world, 1).size());
		EXPECT_EQ(cut ? (cut + 4) / 5 : 0,
			  names(folder / "batchconsumequeue/TopicTest/0").size());
	}
}

/* ---- damage */

/* Whatever happens to entries of the last file, after a clean stop: none is lost, no offset is
 * taken twice. */
void expect_mended(const std::string &keys,
		   const std::function<void(std::fstream &, Folder &)> &damage)
{
	Folder folder;
	std::vector<queue_unit> before, after;
	int64_t end;
	{
		World world(folder.path(), keys);
		make_topic(world);
		end = fill(world, 150);
		before = entries(world);
	}
	{
		std::fstream file(folder / "batchconsumequeue/TopicTest/0/00000000000000000000",
				  std::ios::in | std::ios::out | std::ios::binary);
		ASSERT_TRUE(file);
		damage(file, folder);
	}
	World world(folder.path(), keys);
	after = entries(world);
	ASSERT_EQ(before.size(), after.size());
	for (size_t i = 0; i < before.size(); i++) {
		EXPECT_EQ(before[i].physical_offset, after[i].physical_offset) << i;
		EXPECT_EQ(before[i].size, after[i].size) << i;
		EXPECT_EQ(before[i].offset, after[i].offset) << i;
	}
	Session session(world);
	EXPECT_EQ(end, session.send(batch_of(3, "new")).queue_offset);
}

TEST(Batch, IsMadeAgainWhenItsFileIsDamaged)
{
	const int64_t last = 299 * 46;

	for (int64_t at : {last - 46, last - 46 * 4 + 3, last - 100 * 46 + 7})
		expect_mended("", [&](std::fstream &file, Folder &) {
			file.seekp(at);
			file.write("\xff\xff\xff", 3);
		});
}

TEST(Batch, IsMadeAgainWhenAPageOfItsFileIsGone)
{
	for (int64_t page : {0, 1, 2})
		expect_mended("", [&](std::fstream &file, Folder &) {
			file.seekp(page * 4096);
			file << std::string(4096, 0);
		});
}

TEST(Batch, IsMadeAgainWhenItsFileIsNoise)
{
	expect_mended("mapperFileSizeBatchConsumeQueue=23000\n",
		      [&](std::fstream &file, Folder &) { file << std::string(23000, 0x35); });
}

} // namespace
