/* SPDX-License-Identifier: Apache-2.0 */
/* ConsumeQueueExt: units beside a queue that keep its entries' tags codes. */
#include <cstdint>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "broker.h"
#include "message/bytes.h"
#include "message/properties.h"
#include "message/queue_unit.h"
#include "outside.h"
#include "session.h"
#include "store/delete.h"
#include "store/internal.h"

namespace
{

namespace fs = std::filesystem;

enum { FILE_BYTES = 250, UNITS_A_FILE = 12 };
const char with[] = "enableConsumeQueueExt=true\nmappedFileSizeConsumeQueueExt=250\n"
		    "mappedFileSizeConsumeQueue=200\n";
const char old[] = "mappedFileSizeCommitLog=65536\ndeleteWhen=04\nfileReservedTime=72\n";
const char without[] = "mappedFileSizeConsumeQueue=200\n";

std::string files_of(const std::string &folder)
{
	std::string all;

	for (auto &name : names(folder)) {
		std::ifstream in(folder + "/" + name, std::ios::binary);

		all += std::string(std::istreambuf_iterator<char>(in), {});
	}
	return all;
}

struct Entry {
	int64_t at, tags;
	int32_t size;
};

std::vector<Entry> entries_of(const Folder &folder)
{
	std::string bytes = files_of(folder / "consumequeue/TopicTest/0");
	std::vector<Entry> found;

	for (size_t i = 0; i + STORE_UNIT <= bytes.size(); i += STORE_UNIT) {
		queue_unit unit;

		message_unit_read((const uint8_t *)bytes.data() + i, &unit);
		if (!unit.size)
			break;
		found.push_back({unit.physical_offset, unit.tags_code, unit.size});
	}
	return found;
}

ext_unit unit_of(const std::string &units, int64_t tags)
{
	ext_unit unit = {};
	uint64_t at = 0;

	EXPECT_TRUE(message_unit_ext_address(tags, &at)) << tags;
	EXPECT_LT(at, units.size());
	EXPECT_EQ(1, message_ext_unit_read((const uint8_t *)units.data() + at, units.size() - at,
					   &unit))
		<< at;
	return unit;
}

/* Messages with the tags A and B in turn, until there are so many. */
void fill(World &world, int64_t count)
{
	Session session(world);

	for (;;) {
		Sent sent;

		sent.properties = pairs({{"TAGS", "A"}});
		sent = session.send(sent);
		ASSERT_EQ(GANTRY_SUCCESS, sent.code) << sent.remark;
		if (sent.queue_offset + 1 >= count)
			break;
		sent.properties = pairs({{"TAGS", "B"}});
		if (session.send(sent).queue_offset + 1 >= count)
			break;
	}
	world.dispatched();
}

/* How many messages with that tag pulls find. */
int64_t count_tagged(World &world, const std::string &tag)
{
	Session session(world);
	int64_t count = 0;
	Pulled pull;

	pull.subscription = tag;
	for (;;) {
		Pulled got = session.pull(pull);

		if (got.code != GANTRY_SUCCESS && got.next <= pull.offset)
			return count;
		count += got.code == GANTRY_SUCCESS ? got.count : 0;
		pull.offset = got.next;
	}
}

void expect_tags(World &world, int64_t a, int64_t b)
{
	EXPECT_EQ(a, count_tagged(world, "A"));
	EXPECT_EQ(b, count_tagged(world, "B"));
}

TEST(QueueExt, KeepsWhatEntriesSayOfTags)
{
	Folder folder;
	{
		World world(folder.path(), with);
		fill(world, 40);
		expect_tags(world, 20, 20);
	}
	std::string units = files_of(folder / "consumequeue_ext/TopicTest/0");
	std::vector<Entry> entries = entries_of(folder);
	World world(folder.path(), with);

	ASSERT_EQ(40u, entries.size());
	for (size_t i = 0; i < entries.size(); i++) {
		ext_unit unit = unit_of(units, entries[i].tags);
		std::string bytes = world.message_at((uint64_t)entries[i].at);
		message_record record;

		EXPECT_EQ(i % 2 ? 'B' : 'A', unit.tags_code);
		ASSERT_EQ(MESSAGE_WHOLE, message_record_read((const uint8_t *)bytes.data(),
							     bytes.size(), true, &record));
		EXPECT_EQ(record.store_ms, unit.store_ms);
		EXPECT_EQ((int64_t)(i / UNITS_A_FILE * FILE_BYTES + i % UNITS_A_FILE * 20),
			  entries[i].tags - INT64_MIN);
	}
	/* a file ends with -1 and zeros */
	EXPECT_EQ(0xffffu, message_get16((const uint8_t *)units.data() + UNITS_A_FILE * 20));
	expect_tags(world, 20, 20);
}

TEST(QueueExt, GoesOnWhereItWas)
{
	Folder folder;
	for (int i = 1; i <= 3; i++) {
		World world(folder.path(), with);
		fill(world, i * 15);
	}
	in_a_process_that_dies(
		folder.path(), [](World &world) { fill(world, 60); }, with);
	{
		World world(folder.path(), with);
		expect_tags(world, 32, 28);
		fill(world, 70);
	}
	std::string units = files_of(folder / "consumequeue_ext/TopicTest/0");
	std::vector<Entry> entries = entries_of(folder);
	ASSERT_EQ(70u, entries.size());
	for (size_t i = 0; i < entries.size(); i++)
		EXPECT_EQ((int64_t)(i / UNITS_A_FILE * FILE_BYTES + i % UNITS_A_FILE * 20),
			  entries[i].tags - INT64_MIN);
}

TEST(QueueExt, IsReadAndLeftAloneWithoutTheKey)
{
	Folder folder;
	{
		World world(folder.path(), with);
		fill(world, 30);
	}
	std::string before = files_of(folder / "consumequeue_ext/TopicTest/0");
	{
		World world(folder.path(), without);
		expect_tags(world, 15, 15);
		fill(world, 50);
		expect_tags(world, 25, 25);
	}
	EXPECT_EQ(before, files_of(folder / "consumequeue_ext/TopicTest/0"));
	std::vector<Entry> entries = entries_of(folder);
	ASSERT_EQ(50u, entries.size());
	EXPECT_EQ('A', entries[30].tags);
	World world(folder.path(), with);
	fill(world, 60);
	expect_tags(world, 30, 30);
}

/* Nobody misses a message because its unit is lost, and no other unit takes its address. */
TEST(QueueExt, MayBeLost)
{
	Folder folder;
	{
		World world(folder.path(), with);
		fill(world, 30);
	}
	fs::remove_all(folder / "consumequeue_ext");
	{
		World world(folder.path(), with);
		/* clients look at the tag, too; the last entry is made again by every start */
		expect_tags(world, 29, 30);
		fill(world, 40);
		expect_tags(world, 34, 35);
	}
	World world(folder.path(), with);
	expect_tags(world, 34, 35);
}

/* A unit with a bit map, as a Java broker writes it under enableCalcFilterBitMap. */
TEST(QueueExt, KeepsBitMaps)
{
	Folder folder;
	{
		World world(folder.path(), with);
		fill(world, 4); /* the last entry is made again by every start */
	}
	std::string queue = folder / "consumequeue/TopicTest/0/00000000000000000000";
	std::string ext = folder / "consumequeue_ext/TopicTest/0/00000000000000000000";
	std::string units;
	std::fstream entries(queue, std::ios::in | std::ios::out | std::ios::binary);
	for (int64_t i = 0; i < 3; i++) {
		std::string unit(34, '\x5a');
		uint8_t address[8];

		message_put16((uint8_t *)unit.data(), 34);
		message_put64((uint8_t *)unit.data() + 2, i == 1 ? 'B' : 'A');
		message_put64((uint8_t *)unit.data() + 10, 1700000000000);
		message_put16((uint8_t *)unit.data() + 18, 14);
		units += unit;
		message_put64(address, (uint64_t)(INT64_MIN + i * 34));
		entries.seekp(i * STORE_UNIT + 12);
		entries.write((const char *)address, sizeof(address));
	}
	entries.close();
	units.resize(FILE_BYTES);
	std::ofstream(ext, std::ios::binary) << units;
	{
		World world(folder.path(), with);
		expect_tags(world, 2, 2);
		fill(world, 20);
		expect_tags(world, 10, 10);
	}
	std::string now = files_of(folder / "consumequeue_ext/TopicTest/0");
	EXPECT_EQ(units.substr(0, 102), now.substr(0, 102));
	EXPECT_EQ(INT64_MIN + 102, entries_of(folder)[3].tags);
	EXPECT_EQ('B', unit_of(now, entries_of(folder)[3].tags).tags_code);
}

TEST(QueueExt, IsCutWithTheQueue)
{
	Folder folder;
	World world(folder.path(), with);
	queue *queue;

	fill(world, 30);
	queue = store_queue_named(world.messages(), {"TopicTest", 9}, 0);
	written(world, "TopicTest");
	world.aside([&] {
		queue_unit unit;
		gantry_bounds bounds;

		ASSERT_EQ(0, queue_read_unit(queue, 20, &unit));
		ASSERT_TRUE(queue->ext);
		pthread_mutex_lock(&world.messages()->file_lock);
		EXPECT_EQ(0, queue_cut(queue, (uint64_t)unit.physical_offset));
		pthread_mutex_unlock(&world.messages()->file_lock);
		world.messages()->engine->log->bounds(queue->ext, &bounds);
		EXPECT_EQ((uint64_t)FILE_BYTES + 8 * 20, bounds.end);
	});
}

/* Messages of a KiB, which are old; returns how many there are. */
int64_t fill_old(World &world)
{
	const int64_t count = 400;
	Session session(world);

	for (int64_t i = 0; i < count; i += 40) {
		std::vector<Sent> sent(40);

		for (size_t j = 0; j < sent.size(); j++) {
			sent[j].body = std::string(1000, 'x');
			sent[j].properties = pairs({{"TAGS", j % 2 ? "B" : "A"}});
		}
		session.send(sent);
		EXPECT_EQ(i + 39, sent.back().queue_offset);
	}
	world.dispatched();
	return count;
}

/* What is left of the units begins with a file that has the first message's. */
void expect_old_units_gone(World &world, const Folder &folder, int64_t count)
{
	std::vector<std::string> files = names(folder / "consumequeue_ext/TopicTest/0");
	Session session(world);
	Pulled pull;
	int64_t min = session.pull(pull).min;

	ASSERT_GT(min, 300);
	ASSERT_FALSE(files.empty());
	EXPECT_EQ(files.front(), [&] {
		char name[32];
		snprintf(name, sizeof(name), "%020lld",
			 (long long)(min / UNITS_A_FILE * FILE_BYTES));
		return std::string(name);
	}());
	pull.subscription = "B";
	pull.offset = min;
	EXPECT_EQ((count - min) / 2, session.pull(pull).count);
}

TEST(QueueExt, GoesWhenItsMessagesAreOld)
{
	Folder folder;
	World world(folder.path(), with + std::string(old));
	Outside outside;
	int64_t count = fill_old(world);

	outside.give(world);
	written(world, "TopicTest"); /* the units' files come before their entries */
	ASSERT_EQ(names(folder / "consumequeue_ext/TopicTest/0").size(),
		  (size_t)count / UNITS_A_FILE + 1);
	outside.set(10, 4);
	EXPECT_GT(look(world), 0);
	expect_old_units_gone(world, folder, count);
}

TEST(QueueExt, GoesWhenItsMessagesAreOldAndNobodyReadsThem)
{
	Folder folder;
	Outside outside;
	int64_t count;
	{
		World world(folder.path(), with + std::string(old));
		count = fill_old(world);
	}
	World world(folder.path(), with + std::string(old));

	outside.give(world);
	EXPECT_EQ(34u, names(folder / "consumequeue_ext/TopicTest/0").size());
	world.until([&] { return world.role() && store_dispatched(world.messages()) > 0; });
	outside.set(10, 4);
	EXPECT_GT(look(world), 0);
	EXPECT_LT(names(folder / "consumequeue_ext/TopicTest/0").size(), 10u);
	Session session(world);
	EXPECT_EQ(count, session.send(Sent()).queue_offset);
}

TEST(QueueExt, GoesWithItsTopic)
{
	Folder folder;
	World world(folder.path(), with);

	fill(world, 30);
	world.aside([&] { EXPECT_EQ(0, store_delete_topic(world.messages(), {"TopicTest", 9})); });
	EXPECT_FALSE(fs::exists(folder / "consumequeue_ext/TopicTest"));
}

} // namespace
