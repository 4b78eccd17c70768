/* SPDX-License-Identifier: Apache-2.0 */
#include "recording.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "broker.h"
#include "message/record.h"
#include "recorder.h"
#include "store/internal.h"
#include "store/store.h"

namespace fs = std::filesystem;

/* Nobody is told to come back later because the machine was stopped or slow for seconds: such
 * an answer looks like a queue that lost its messages. */
static const char small_files[] = "mappedFileSizeCommitLog = 65536\n"
				  "brokerFastFailureEnable = false\n"
				  "syncFlushTimeout = 60000\n"
				  "maxHashSlotNum = 50\n"
				  "maxIndexNum = 200\n"
				  "mappedFileSizeConsumeQueue = 400\n"
				  "maxTransferCountOnMessageInMemory = 100000\n"
				  "maxTransferBytesOnMessageInMemory = 64m\n"
				  "maxTransferCountOnMessageInDisk = 100000\n"
				  "maxTransferBytesOnMessageInDisk = 64m\n";

/* Of a record of the load: header, topic, properties. */
static const size_t kMostButBody = 4000;

static World *start(const std::string &root, const std::string &keys, const char *engine)
{
	setenv("BROKER_ENGINE", engine, 1);
	auto *world = new World(root, small_files + keys, 1);
	unsetenv("BROKER_ENGINE");
	return world;
}

Recording::Recording(const std::string &keys, uint64_t seed)
    : keys_(keys), root_(folder_ / "0"), sync_(keys.find(" SYNC_FLUSH") != std::string::npos),
      dice_(seed)
{
	recorder_start();
}

/* ---- the load */

static std::string some_text(Dice &dice, const std::string &head)
{
	return head +
	       std::string(dice.below(dice.below(8) ? 200 : 3000), 'a' + dice.below(26) % 26);
}

void Recording::take(const std::vector<Sent> &sent,
		     const std::vector<std::vector<std::string>> &texts, size_t begun)
{
	size_t acked = recorder_note();

	for (size_t i = 0; i < sent.size(); i++) {
		auto &queue = stored_[{sent[i].topic, sent[i].queue}];

		ASSERT_EQ(sent[i].code, GANTRY_SUCCESS) << sent[i].remark;
		ASSERT_EQ(sent[i].queue_offset, static_cast<int64_t>(queue.size()));
		for (size_t n = 0; n < texts[i].size(); n++)
			queue.push_back({texts[i][n], sent[i].offsets.at(n), begun, acked});
	}
}

void Recording::send(Session &session)
{
	std::vector<Sent> sent(1 + dice_.below(4));
	std::vector<std::vector<std::string>> texts(sent.size());
	static unsigned number;

	for (size_t i = 0; i < sent.size(); i++) {
		Sent &one = sent[i];
		unsigned count = dice_.below(6) ? 1 : 2 + dice_.below(3);

		one.topic = "Topic" + std::to_string(dice_.below(3));
		one.queue = static_cast<int32_t>(dice_.below(2));
		for (unsigned n = 0; n < count; n++)
			texts[i].push_back(some_text(dice_, std::to_string(number++) + " "));
		one.body = texts[i][0];
		if (dice_.below(2))
			one.properties = pairs({{"TAGS", "a"},
						{"KEYS", some_text(dice_, "k")},
						{"UNIQ_KEY", "U"}});
		if (count == 1)
			continue;
		one.flags = GANTRY_SEND_BATCH;
		one.properties.clear();
		one.body.clear();
		for (auto &text : texts[i])
			one.body += batch_item(text);
	}
	size_t begun = recorder_note();
	session.send(sent);
	take(sent, texts, begun);
}

/* Nothing may be seen that a power cut could take back. */
static void expect_durable(void *user)
{
	struct store *store = static_cast<World *>(user)->messages();
	struct gantry_bounds bounds;

	if (!store || !store->attached)
		return;
	uint64_t visible = store->door->mark(store->door_inst, GANTRY_VISIBLE);
	uint64_t durable = store->door->mark(store->door_inst, GANTRY_DURABLE);

	store->door->bounds(store->door_inst, &bounds);
	EXPECT_LE(visible, durable);
	EXPECT_LE(durable, bounds.durable);
}

void Recording::live(unsigned calls)
{
	{
		std::unique_ptr<World> world(start(root_, keys_, "storage-recorder"));
		Session session(*world);

		if (sync_)
			recorder_watch(expect_durable, world.get());
		for (unsigned i = 0; i < calls && !testing::Test::HasFatalFailure(); i++) {
			send(session);
			if (i % 8 == 0)
				world->dispatched();
		}
		recorder_watch(nullptr, nullptr);
	}
	EXPECT_FALSE(fs::exists(root_ + "/abort"));
	events_ = recorder_events();
	clean_.push_back(events_);
}

/* ---- after a crash */

uint64_t Recording::make(const std::string &to, size_t events, Crash crash, Dice &dice)
{
	uint64_t durable = make_disk(root_, to, events, crash, dice, "commitlog");
	bool clean = std::find(clean_.begin(), clean_.end(), events) != clean_.end();

	fs::copy(root_ + "/config", to + "/config", fs::copy_options::recursive);
	if (!clean)
		std::ofstream(to + "/abort") << "1";
	return durable;
}

/* Every property of the load ends so, and has no zeros in it. */
static void take_bodies(const std::string &records, std::vector<std::string> *texts)
{
	message_record record;

	for (size_t at = 0; at < records.size(); at += record.size) {
		ASSERT_EQ(message_record_read(reinterpret_cast<const uint8_t *>(&records[at]),
					      records.size() - at, true, &record),
			  MESSAGE_WHOLE);
		std::string properties(record.properties.at, record.properties.size);

		EXPECT_EQ(properties.find('\0'), std::string::npos) << properties;
		EXPECT_TRUE(properties.empty() || properties.back() == '\2') << properties;
		texts->emplace_back(record.body.at, record.body.size);
	}
}

/* end: the answer that ended it. */
static std::vector<std::string> read_queue(World &world, const QueueName &name, int64_t from,
					   Pulled *end = nullptr)
{
	Session session(world);
	std::vector<std::string> texts;
	Pulled pull;

	pull.topic = name.first;
	pull.queue = name.second;
	pull.max_messages = 100000;
	for (pull.offset = from;;) {
		Pulled got = session.pull(pull);

		if (got.code != GANTRY_SUCCESS) {
			if (end)
				*end = got;
			return texts;
		}
		take_bodies(got.bytes, &texts);
		pull.offset = got.next;
	}
}

/* What the broker has of what was stored: all that lies in the log, and at least what is owed. */
Stores Recording::owed(World &world, size_t events, Crash crash, uint64_t durable)
{
	uint64_t first, end;
	Stores found = stored_;

	store_bounds(world.messages(), &first, &end);
	for (auto &[name, list] : found) {
		size_t in_log = 0, least = 0;

		for (size_t i = 0; i < list.size(); i++) {
			bool acked = list[i].acked <= events && (sync_ || crash == Crash::KILL);
			bool synced = list[i].begun < events &&
				      list[i].at + kMostButBody + list[i].body.size() <= durable;

			if (list[i].at < end)
				in_log = i + 1;
			if (acked || synced)
				least = i + 1;
		}
		EXPECT_GE(in_log, least)
			<< name.first << "-" << name.second << ": "
			<< "the log ends at " << end << ", durable was " << durable;
		list.resize(in_log);
	}
	return found;
}

static void expect_found(World &world, const Stores &found)
{
	for (auto &[name, list] : found) {
		Pulled end;
		auto texts = read_queue(world, name, 0, &end);

		ASSERT_EQ(texts.size(), list.size())
			<< name.first << "-" << name.second << ": " << end.code << " at "
			<< end.offset << " of [" << end.min << ", " << end.max << "), next "
			<< end.next << " " << end.remark;
		for (size_t i = 0; i < list.size(); i++)
			ASSERT_EQ(texts[i], list[i].body)
				<< name.first << "-" << name.second << " " << i;
	}
}

/* Sends on: what was lost stands right behind, if it is still there and of the same size. */
void Recording::go_on(World &world, Stores *found, Dice &dice)
{
	Session session(world);

	for (auto &[name, list] : *found) {
		Sent message;
		const auto &whole = stored_[name];

		message.topic = name.first;
		message.queue = name.second;
		message.body = list.size() < whole.size()
				       ? std::string(whole[list.size()].body.size(), 'x')
				       : some_text(dice, "next ");
		message = session.send(message);
		ASSERT_EQ(message.code, GANTRY_SUCCESS) << message.remark;
		ASSERT_EQ(message.queue_offset, static_cast<int64_t>(list.size()));
		list.push_back({message.body, message.offsets.at(0), 0, 0});
	}
	world.dispatched();
}

void Recording::check(size_t events, Crash crash, uint64_t seed)
{
	Dice dice(seed);
	Folder folder;
	std::string root = folder / "store";
	uint64_t durable = make(root, events, crash, dice);
	Stores found;

	{
		std::unique_ptr<World> world(start(root, keys_, "storage-mmap"));

		found = owed(*world, events, crash, durable);
		expect_found(*world, found);
		if (!testing::Test::HasFailure())
			go_on(*world, &found, dice);
		if (!testing::Test::HasFailure())
			expect_found(*world, found);
	}
	if (testing::Test::HasFailure() || seed % 4)
		return;
	std::unique_ptr<World> world(start(root, keys_, "storage-mmap"));
	expect_found(*world, found);
}

void Recording::crash(size_t events, Crash crash, uint64_t seed)
{
	Dice dice(seed);
	std::string root = root_ + "-";
	uint64_t durable = make(root, events, crash, dice);

	{
		Folder copy;
		fs::copy(root, copy / "store", fs::copy_options::recursive);
		std::unique_ptr<World> world(start(copy / "store", keys_, "storage-mmap"));
		stored_ = owed(*world, events, crash, durable);
	}
	for (auto &[name, list] : stored_)
		for (auto &one : list)
			one.begun = one.acked = 0;
	fs::remove_all(root_);
	root_ = root;
	clean_.clear();
	recorder_start();
}
