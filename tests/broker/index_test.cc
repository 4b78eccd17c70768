/* SPDX-License-Identifier: Apache-2.0 */
/* The index of keys: its files, what is found by them, and what becomes of them after a stop. */
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "broker.h"
#include "message/bytes.h"
#include "message/index_file.h"
#include "message/properties.h"
#include "session.h"
#include "store/index.h"
#include "store/store.h"

namespace
{

namespace fs = std::filesystem;

const message_index_shape kSmall = {11, 9};
const char kSmallKeys[] = "maxHashSlotNum = 11\nmaxIndexNum = 9\n";

gantry_str str(const std::string &text)
{
	return {text.data(), text.size()};
}

std::string read_file(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);
	return {std::istreambuf_iterator<char>(file), {}};
}

/* ---- asking */

struct Found {
	int32_t code = -1;
	std::vector<std::string> bodies;
	std::map<std::string, std::string> fields;
	std::string remark;
};

struct Ask {
	std::string topic = "TopicTest", key, max = "32", begin = "0", end = "9000000000000";
	std::string type, unique;
};

Found query(World &world, const Ask &ask)
{
	std::vector<gantry_field> fields;
	gantry_call call = {};
	Op op(world, world.loop(0));
	Found found;
	int pending = 0;

	auto add = [&](const char *name, const std::string &value) {
		if (!value.empty())
			fields.push_back({str(name), str(value)});
	};
	std::string names[] = {"topic",        "key",       "maxNum",           "beginTimestamp",
			       "endTimestamp", "indexType", "_UNIQUE_KEY_QUERY"};
	const std::string *values[] = {&ask.topic, &ask.key,  &ask.max,   &ask.begin,
				       &ask.end,   &ask.type, &ask.unique};
	for (int i = 0; i < 7; i++)
		add(names[i].c_str(), *values[i]);
	for (size_t i = 0, at = 0; i < 7; i++)
		if (!values[i]->empty())
			fields[at++].name = str(names[i]);
	call.code = 12;
	call.fields = fields.data();
	call.field_count = (uint32_t)fields.size();
	world.on(world.loop(0),
		 [&] { pending = world.ops()->call(world.inst(), &call, op.get()); });
	if (pending > 0)
		op.wait();
	found.code = call.ret_code;
	found.remark = call.remark;
	for (uint32_t i = 0; i < call.ret_field_count; i++)
		found.fields[{call.ret_fields[i].name.at, call.ret_fields[i].name.size}] = {
			call.ret_fields[i].value.at, call.ret_fields[i].value.size};
	if (call.ret_body)
		found.bodies = bodies({call.ret_body, call.ret_body_size});
	free(call.ret_body);
	return found;
}

Found query(World &world, const std::string &key)
{
	Ask ask;
	ask.key = key;
	return query(world, ask);
}

using Bodies = std::vector<std::string>;

void send(World &world, const std::string &body, const std::string &keys,
	  const std::string &tag = "")
{
	Session session(world);
	Sent message;
	std::vector<std::pair<std::string, std::string>> properties;

	message.body = body;
	properties.push_back({"UNIQ_KEY", "unique-" + body});
	if (!keys.empty())
		properties.push_back({"KEYS", keys});
	if (!tag.empty())
		properties.push_back({"TAGS", tag});
	message.properties = pairs(properties);
	message = session.send(message);
	ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
	world.dispatched();
}

/* ---- files */

std::vector<std::string> index_files(const Folder &folder)
{
	std::vector<fs::path> paths;
	std::vector<std::string> files;

	if (!fs::exists(folder / "index"))
		return files;
	for (const auto &entry : fs::directory_iterator(folder / "index"))
		paths.push_back(entry.path());
	std::sort(paths.begin(), paths.end());
	for (const fs::path &path : paths) {
		EXPECT_EQ(path.filename().string().size(), 17u);
		files.push_back(read_file(path));
	}
	return files;
}

/* The files that RocketMQ's classes make of a log, put by put. */
class Expected
{
      public:
	explicit Expected(const message_index_shape &shape) : shape_(shape)
	{
	}
	void log(const std::string &bytes)
	{
		message_record record;
		size_t at = 0;

		while (at < bytes.size() &&
		       message_record_read((const uint8_t *)bytes.data() + at, bytes.size() - at,
					   true, &record) == MESSAGE_WHOLE) {
			message(record, (int64_t)at);
			at += record.size;
		}
	}
	const std::vector<std::string> &files() const
	{
		return files_;
	}

      private:
	void message(const message_record &record, int64_t at)
	{
		auto value = [&](const char *name) {
			return message_property_find(record.properties, str(name));
		};
		auto put_key = [&](gantry_str key) {
			if (key.size)
				put(message_index_hash(record.topic, key), at, record.store_ms);
		};
		put_key(value("UNIQ_KEY"));
		gantry_str keys = value("KEYS");
		std::istringstream words(std::string(keys.at ? keys.at : "", keys.size));
		for (std::string word; std::getline(words, word, ' ');)
			put_key(str(word));
		if (value("TAGS").size)
			put(message_index_tag_hash(record.topic, value("TAGS")), at,
			    record.store_ms);
	}
	void put(uint32_t hash, int64_t at, int64_t ms)
	{
		if (files_.empty() || message_index_is_full(&header_, &shape_)) {
			message_index_header before = header_;
			message_index_begin(&header_, files_.empty() ? nullptr : &before);
			files_.emplace_back(message_index_size(&shape_), '\0');
		}
		auto *file = (uint8_t *)files_.back().data();
		uint8_t *slot = file + message_index_slot_at(hash % shape_.slots);
		message_index_entry entry;
		uint32_t number =
			message_index_add(&header_, hash, at, ms, message_get32(slot), &entry);
		message_put32(slot, number);
		message_index_entry_write(&entry, file + message_index_entry_at(&shape_, number));
		message_index_header_write(&header_, file);
	}
	message_index_shape shape_;
	message_index_header header_ = {};
	std::vector<std::string> files_;
};

void expect_files_of_the_log(const Folder &folder, const message_index_shape &shape = kSmall)
{
	Expected expected(shape);
	expected.log(read_file(folder / "commitlog/00000000000000000000"));
	std::vector<std::string> files = index_files(folder);
	ASSERT_EQ(files.size(), expected.files().size());
	for (size_t i = 0; i < files.size(); i++)
		EXPECT_TRUE(files[i] == expected.files()[i]) << "file " << i;
}

void send_ten(World &world, const std::string &prefix)
{
	for (int i = 0; i < 10; i++)
		send(world, prefix + std::to_string(i), prefix + " common", "Tag");
}

/* ---- */

TEST(Index, FindsMessagesByTheirKeys)
{
	Folder folder;
	World world(folder.path());

	send(world, "one", "red green", "TagA");
	send(world, "two", "green  blue");
	send(world, "three", "");
	EXPECT_EQ(query(world, "red").bodies, Bodies({"one"}));
	EXPECT_EQ(query(world, "green").bodies, (Bodies{"one", "two"}));
	EXPECT_EQ(query(world, "blue").bodies, Bodies({"two"}));
	EXPECT_EQ(query(world, "unique-three").bodies, Bodies({"three"}));
	Found found = query(world, "green");
	EXPECT_EQ(found.code, GANTRY_SUCCESS);
	EXPECT_GT(std::stoll(found.fields["indexLastUpdateTimestamp"]), 1600000000000);
	EXPECT_GT(std::stoll(found.fields["indexLastUpdatePhyoffset"]), 0);
}

TEST(Index, LimitsAndTypes)
{
	Folder folder;
	World world(folder.path(), "defaultQueryMaxNum = 2\nmaxMsgsNumBatch = 5");
	Ask ask;

	for (int i = 0; i < 7; i++)
		send(world, std::to_string(i), "same", "TagA");
	ask.key = "same";
	ask.max = "3";
	EXPECT_EQ(query(world, ask).bodies, (Bodies{"4", "5", "6"}));
	ask.max = "32";
	EXPECT_EQ(query(world, ask).bodies.size(), 5u);
	ask.unique = "true";
	EXPECT_EQ(query(world, ask).bodies, (Bodies{"5", "6"}));
	ask.unique = "";
	ask.type = "T";
	EXPECT_EQ(query(world, ask).code, GANTRY_QUERY_NOT_FOUND);
	ask.key = "TagA";
	EXPECT_EQ(query(world, ask).bodies.size(), 5u);
	ask.type = "K";
	EXPECT_EQ(query(world, ask).code, GANTRY_QUERY_NOT_FOUND);
	ask.max = "0";
	ask.key = "same";
	EXPECT_EQ(query(world, ask).code, GANTRY_QUERY_NOT_FOUND);
	ask.max = "-1";
	EXPECT_EQ(query(world, ask).code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(query(world, ask).remark,
		  "java.lang.IllegalArgumentException: Illegal Capacity: -1");
	ask.unique = "true";
	EXPECT_EQ(query(world, ask).code, GANTRY_SUCCESS) << "which has a limit of its own";
}

TEST(Index, LooksAtSoManyKeysAndNoMore)
{
	Folder folder;
	World world(folder.path());
	struct store_query search = {};
	std::string topic = "TopicTest", key = "same";
	Op op(world, world.loop(0));

	for (int i = 0; i < 10; i++)
		send(world, std::to_string(i), "same");
	query(world, "same"); /* all have come to the index */
	search.hash = message_index_hash(str(topic), str(key));
	search.max = 64;
	search.end_ms = INT64_MAX;
	search.looks_max = 4;
	world.on(world.loop(0), [&] { store_query(world.messages(), &search, op.get()); });
	op.wait();
	EXPECT_EQ(search.count, 3u) << "the newest";
	EXPECT_TRUE(search.cut_short);
}

TEST(Index, WhatIsNotThereIsNotFound)
{
	Folder folder;
	World world(folder.path());
	Ask ask;

	EXPECT_EQ(query(world, "red").code, GANTRY_QUERY_NOT_FOUND);
	send(world, "one", "red");
	Found found = query(world, "blue");
	EXPECT_EQ(found.code, GANTRY_QUERY_NOT_FOUND);
	EXPECT_EQ(found.remark, "can not find message, maybe time range not correct");
	EXPECT_EQ(found.fields["indexLastUpdateTimestamp"], "0");
	ask.key = "red";
	ask.end = "1600000000000";
	EXPECT_EQ(query(world, ask).code, GANTRY_QUERY_NOT_FOUND);
	ask.end = "";
	EXPECT_EQ(query(world, ask).code, GANTRY_SYSTEM_ERROR);
}

TEST(Index, CanBeTurnedOff)
{
	Folder folder;
	World world(folder.path(), "messageIndexEnable = false");

	send(world, "one", "red");
	EXPECT_EQ(query(world, "red").code, GANTRY_QUERY_NOT_FOUND);
	EXPECT_FALSE(fs::exists(folder / "index"));
}

TEST(Index, WritesTheFilesThatJavaWrites)
{
	Folder folder;
	{
		World world(folder.path(), kSmallKeys);
		send_ten(world, "a");
		EXPECT_EQ(query(world, "common").bodies.size(), 10u);
	}
	EXPECT_EQ(index_files(folder).size(), 5u); /* 40 keys, 8 a file */
	expect_files_of_the_log(folder);
	std::string point = read_file(folder / "checkpoint");
	std::vector<std::string> files = index_files(folder);
	EXPECT_EQ(message_get64((const uint8_t *)point.data() + 16),
		  message_get64((const uint8_t *)files.back().data() + 8));
}

TEST(Index, GoesOnAfterACleanStop)
{
	Folder folder;
	for (const char *name : {"a", "b", "c"}) {
		World world(folder.path(), kSmallKeys);
		send_ten(world, name);
	}
	expect_files_of_the_log(folder);
	World world(folder.path(), kSmallKeys);
	EXPECT_EQ(query(world, "a").bodies.size(), 10u);
	EXPECT_EQ(query(world, "c").bodies.size(), 10u);
	EXPECT_EQ(query(world, "unique-b3").bodies, Bodies({"b3"}));
}

TEST(Index, GoesOnAfterAKill)
{
	Folder folder;
	for (const char *name : {"a", "b", "c"})
		in_a_process_that_dies(
			folder.path(),
			[&](World &world) {
				send_ten(world, name);
				query(world, "common"); /* which has all of it written */
				send_ten(world, std::string("more-") + name);
			},
			kSmallKeys);
	{
		World world(folder.path(), kSmallKeys);
		world.until([&] { return query(world, "more-c").bodies.size() == 10; });
		EXPECT_EQ(query(world, "a").bodies.size(), 10u);
	}
	EXPECT_FALSE(fs::exists(folder / "abort"));
	expect_files_of_the_log(folder);
}

TEST(Index, IsMadeAgainWhenItMayNotBeSafe)
{
	Folder folder;
	in_a_process_that_dies(
		folder.path(),
		[&](World &world) {
			send_ten(world, "a");
			query(world, "common");
		},
		kSmallKeys);
	ASSERT_EQ(index_files(folder).size(), 5u);
	std::string name = fs::directory_iterator(folder / "index")->path().filename();
	fs::remove(folder / "gantry.point"); /* as if the machine had gone down */
	{
		World world(folder.path(), kSmallKeys);
		EXPECT_EQ(query(world, "a").bodies.size(), 10u); /* it reads what it lacks */
	}
	EXPECT_FALSE(fs::exists(folder / "index/" + name));
	expect_files_of_the_log(folder);
}

TEST(Index, KnowsNothingThatTheLogHasLost)
{
	Folder folder;
	{
		World world(folder.path(), kSmallKeys);
		send_ten(world, "a");
	}
	fs::remove_all(folder / "commitlog");
	World world(folder.path(), kSmallKeys);
	EXPECT_EQ(query(world, "a").code, GANTRY_QUERY_NOT_FOUND);
	send_ten(world, "b");
	EXPECT_EQ(query(world, "common").bodies.size(), 10u);
}

TEST(Index, WhatWasTooMuchAtOnceIsReadFromTheLog)
{
	const int messages = 30, words = 10000;
	Folder folder;
	std::string many;

	for (int i = 0; i < words; i++)
		many += std::string(1, (char)('a' + i % 26)) + " ";
	{
		World world(folder.path(), "maxHashSlotNum = 1000\nmaxIndexNum = 250000");
		Session session(world);
		std::vector<Sent> sent(messages);

		for (int i = 0; i < messages; i++) {
			sent[(size_t)i].body = std::to_string(i);
			sent[(size_t)i].properties = pairs({{"KEYS", many + std::to_string(i)}});
		}
		session.send(sent);
		for (const Sent &message : sent)
			ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
		world.until([&] {
			return query(world, std::to_string(messages - 1)).bodies.size() == 1;
		});
		EXPECT_EQ(query(world, "0").bodies.size(), 1u);
	}
	EXPECT_FALSE(fs::exists(folder / "abort"));
	expect_files_of_the_log(folder, {1000, 250000});
}

TEST(Index, IsMadeAgainAfterACut)
{
	Folder folder;
	{
		World world(folder.path(), kSmallKeys);
		send_ten(world, "a");
		query(world, "common");
		world.aside([&] { store_index_cut(world.messages(), 5000); });
		world.until([&] { return query(world, "a").bodies.size() == 10; });
		send_ten(world, "b");
	}
	expect_files_of_the_log(folder);
}

TEST(Index, OldFilesExpireButNeverTheLast)
{
	Folder folder;
	World world(folder.path(), kSmallKeys);

	send_ten(world, "a");
	query(world, "common");
	ASSERT_EQ(index_files(folder).size(), 5u);
	world.aside([&] { EXPECT_EQ(store_index_expire(world.messages(), 0), 0); });
	world.aside([&] { EXPECT_EQ(store_index_expire(world.messages(), 1u << 30), 4); });
	EXPECT_EQ(index_files(folder).size(), 1u);
	EXPECT_EQ(query(world, "a").bodies, (Bodies{"a8", "a9"}));
	send_ten(world, "b");
	EXPECT_EQ(query(world, "b").bodies.size(), 10u);
}

TEST(Index, StrangeFilesAreLeftAlone)
{
	Folder folder;
	fs::create_directories(folder / "index");
	std::ofstream(folder / "index/notes.txt") << "mine";
	std::ofstream(folder / "index/20260101000000000") << "too short";
	World world(folder.path(), kSmallKeys);

	send(world, "one", "red");
	EXPECT_EQ(query(world, "red").bodies, Bodies({"one"}));
	EXPECT_TRUE(fs::exists(folder / "index/notes.txt"));
	EXPECT_EQ(read_file(folder / "index/20260101000000000"), "too short");
}

} // namespace
