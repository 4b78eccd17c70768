// SPDX-License-Identifier: Apache-2.0
// The tool over stores that are written here, whole and with one thing wrong.
#include "store.h"

#include <gtest/gtest.h>
#include <message/bytes.h>
#include <message/checkpoint.h>
#include <message/index_file.h>
#include <message/properties.h>

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include "../run_test.h"

namespace
{

enum { SEGMENT = 4096, QUEUE_FILE = 50 * MESSAGE_UNIT_SIZE };

Result run(std::vector<std::string> words)
{
	static const cli_command *const table[] = {&cli_store, nullptr};

	words.insert(words.begin(), "store");
	if (std::find(words.begin(), words.end(), "--output") == words.end())
		words.insert(words.end(), {"--output", "text"});
	return run_words(table, std::move(words));
}

std::string name_of(uint64_t base)
{
	char name[32];
	snprintf(name, sizeof(name), "%020llu", (unsigned long long)base);
	return name;
}

struct Message {
	std::string topic = "T", body = "hello", properties = "TAGS\1TagA\2";
	int32_t queue = 0, sys_flag = 0;
	bool v6 = false;
	int64_t queue_offset = -1; /* the next of its queue */
	bool queued = true;
};

/* A store in a folder of its own, as a broker would leave it. */
class Store
{
      public:
	Store()
	{
		char name[] = "/tmp/gantry-store-XXXXXX";
		root_ = mkdtemp(name);
		std::filesystem::create_directories(root_ + "/commitlog");
		std::filesystem::create_directories(root_ + "/config");
		write("config/topics.json",
		      "{\n\t\"dataVersion\":{\"counter\":1,\"timestamp\":2},\n"
		      "\t\"topicConfigTable\":{\n\t\t\"T\":{\"topicName\":\"T\",\"perm\":6,"
		      "\"readQueueNums\":4,\"writeQueueNums\":4}}}\n");
		write("config/consumerOffset.json", "{\"offsetTable\":{\"T@G\":{0:1,1:2\n}}}");
		write("config/subscriptionGroup.json",
		      "{\"subscriptionGroupTable\":{\"G\":{\"groupName\":\"G\"}}}");
		write("lock", "lock");
	}
	~Store()
	{
		std::filesystem::remove_all(root_);
	}
	Store(const Store &) = delete;

	const std::string &root() const
	{
		return root_;
	}
	std::string path(const std::string &name) const
	{
		return root_ + "/" + name;
	}

	/* Appends a record, and its unit; returns its log offset. */
	uint64_t add(Message message)
	{
		message_draft draft = {};
		draft.topic = {message.topic.data(), message.topic.size()};
		draft.body = {message.body.data(), message.body.size()};
		draft.properties[0] = {message.properties.data(), message.properties.size()};
		draft.part_count = 1;
		draft.queue = message.queue;
		draft.sys_flag = message.sys_flag;
		draft.body_crc = message_body_crc(message.body.data(), message.body.size());
		draft.born_ms = 1700000000000;
		draft.born_host.ip_size = draft.store_host.ip_size = message.v6 ? 16 : 4;
		EXPECT_EQ(message_draft_finish(&draft), 0);
		uint64_t left = SEGMENT - log_.size() % SEGMENT;
		if (draft.size + MESSAGE_BLANK_SIZE > left)
			blank(left);
		uint64_t at = log_.size();
		int64_t &next = next_[{message.topic, message.queue}];
		if (message.queue_offset < 0)
			message.queue_offset = next++;
		log_.resize(at + draft.size);
		message_record_write(&draft, (uint8_t *)log_.data() + at, message.queue_offset, at,
				     ms_++);
		records_.push_back(at);
		if (message.queued)
			add_unit(message, at, draft.size);
		return at;
	}

	void add_many(int count)
	{
		for (int i = 0; i < count; i++) {
			Message message;
			message.queue = i % 3;
			message.v6 = i % 5 == 0;
			message.topic = i % 7 == 0 ? "%RETRY%" + std::string(140, 'g') : "T";
			message.body = std::string((size_t)i * 7 % 200, 'b');
			add(message);
		}
	}

	/* Writes IndexFiles of 40 entries each over all records so far. */
	void save_index()
	{
		const message_index_shape shape = {10, 40};
		message_index_header header = {}, before = {};
		std::string file;
		int count = 0;
		std::filesystem::create_directories(path("index"));
		auto save = [&] {
			message_index_header_write(&header, (uint8_t *)file.data());
			write(index_name(count++), file);
		};
		for (uint64_t at : records_) {
			message_record record;
			EXPECT_EQ(message_record_read((const uint8_t *)log_.data() + at,
						      log_.size() - at, true, &record),
				  MESSAGE_WHOLE);
			for (uint32_t hash : hashes_of(record)) {
				if (file.empty() || message_index_is_full(&header, &shape)) {
					if (!file.empty())
						save();
					before = header;
					message_index_begin(&header, count ? &before : nullptr);
					file.assign(message_index_size(&shape), '\0');
				}
				put(file, shape, header, hash, (int64_t)at, record.store_ms);
			}
		}
		save();
	}
	static std::string index_name(int i)
	{
		return "index/2023111422132000" + std::to_string(i);
	}

	/* Writes log, queues and checkpoint. */
	void save()
	{
		for (size_t base = 0; base < log_.size(); base += SEGMENT) {
			std::string file = log_.substr(base, SEGMENT);
			file.resize(SEGMENT);
			write("commitlog/" + name_of(base), file);
		}
		for (auto &[key, units] : units_) {
			std::string folder =
				"consumequeue/" + key.first + "/" + std::to_string(key.second);
			std::filesystem::create_directories(path(folder));
			for (size_t base = 0; base < units.size(); base += QUEUE_FILE) {
				std::string file = units.substr(base, QUEUE_FILE);
				file.resize(QUEUE_FILE);
				write(folder + "/" + name_of(base), file);
			}
		}
		std::string point(MESSAGE_CHECKPOINT_FILE, '\0');
		message_checkpoint says = {ms_ - 1, ms_ - 1, 0, 0,
					   records_.empty() ? 0 : (int64_t)records_.back()};
		message_checkpoint_write((uint8_t *)point.data(), &says);
		write("checkpoint", point);
	}

	void write(const std::string &name, const std::string &text)
	{
		std::ofstream(path(name), std::ios::binary) << text;
	}

	/* Turns a bit of a file over; log offsets: of the log's file. */
	void flip(const std::string &name, uint64_t at, int bit = 0)
	{
		std::fstream file(path(name), std::ios::binary | std::ios::in | std::ios::out);
		file.seekg((std::streamoff)at);
		char c = (char)(file.get() ^ 1 << bit);
		file.seekp((std::streamoff)at);
		file.put(c);
		ASSERT_TRUE(file.good());
	}
	void flip_log(uint64_t at, int bit = 0)
	{
		flip("commitlog/" + name_of(at / SEGMENT * SEGMENT), at % SEGMENT, bit);
	}

	/* "FILE:BYTE: " as findings begin. */
	std::string place(const std::string &name, uint64_t at) const
	{
		return path(name) + ":" + std::to_string(at) + ": ";
	}
	std::string log_place(uint64_t at) const
	{
		return place("commitlog/" + name_of(at / SEGMENT * SEGMENT), at % SEGMENT);
	}

	const std::vector<uint64_t> &records() const
	{
		return records_;
	}
	uint64_t end() const
	{
		return log_.size();
	}

      private:
	static std::vector<uint32_t> hashes_of(const message_record &record)
	{
		gantry_str key = message_property_find(record.properties, {"KEYS", 4});
		gantry_str tag = message_property_find(record.properties, {"TAGS", 4});
		std::vector<uint32_t> hashes;
		if (key.size)
			hashes.push_back(message_index_hash(record.topic, key));
		if (tag.size)
			hashes.push_back(message_index_tag_hash(record.topic, tag));
		return hashes;
	}

	static void put(std::string &file, const message_index_shape &shape,
			message_index_header &header, uint32_t hash, int64_t at, int64_t ms)
	{
		auto *bytes = (uint8_t *)file.data();
		uint8_t *slot = bytes + message_index_slot_at(hash % shape.slots);
		message_index_entry entry;
		uint32_t number =
			message_index_add(&header, hash, at, ms, message_get32(slot), &entry);
		message_index_entry_write(&entry, bytes + message_index_entry_at(&shape, number));
		message_put32(slot, number);
	}

	void blank(uint64_t left)
	{
		size_t at = log_.size();
		log_.resize(at + left);
		message_put32((uint8_t *)log_.data() + at, (uint32_t)left);
		message_put32((uint8_t *)log_.data() + at + 4, (uint32_t)MESSAGE_MAGIC_BLANK);
	}

	void add_unit(const Message &message, uint64_t at, uint32_t size)
	{
		std::string &units = units_[{message.topic, message.queue}];
		gantry_str tags = message_property_find(
			{message.properties.data(), message.properties.size()}, {"TAGS", 4});
		queue_unit unit = {(int64_t)at, message_tags_code(tags), (int32_t)size};
		size_t to = (size_t)message.queue_offset * MESSAGE_UNIT_SIZE;
		if (units.size() < to + MESSAGE_UNIT_SIZE)
			units.resize(to + MESSAGE_UNIT_SIZE);
		message_unit_write((uint8_t *)units.data() + to, &unit);
	}

	std::string root_, log_;
	int64_t ms_ = 1700000000000;
	std::map<std::pair<std::string, int32_t>, std::string> units_;
	std::map<std::pair<std::string, int32_t>, int64_t> next_;
	std::vector<uint64_t> records_;
};

void expect_found(const Store &store, const std::string &place, const std::string &said)
{
	Result result = run({"verify", store.root()});
	EXPECT_EQ(result.code, CLI_FAILED) << result.out << result.err;
	EXPECT_TRUE(holds(result.out, place)) << place << " is not in\n" << result.out;
	EXPECT_TRUE(holds(result.out, said)) << said << " is not in\n" << result.out;
	EXPECT_EQ(result.err, "");
}

void expect_clean(const Store &store)
{
	Result result = run({"verify", store.root()});
	EXPECT_EQ(result.code, CLI_DONE) << result.out << result.err;
	EXPECT_TRUE(holds(result.out, " 0 findings")) << result.out;
	EXPECT_EQ(result.err, "");
}

} // namespace

TEST(Verify, AWholeStoreIsClean)
{
	Store store;
	store.add_many(200);
	store.save();
	expect_clean(store);
	Result result = run({"verify", store.root(), "--output", "json"});
	EXPECT_TRUE(holds(result.out, "\"records\":200,")) << result.out;
	EXPECT_TRUE(holds(result.out, "\"queued\":200,")) << result.out;
}

TEST(Verify, AnEmptyStoreAndPreparedFilesAreClean)
{
	Store store;
	expect_clean(store);
	store.add_many(3);
	store.save();
	store.write("commitlog/" + name_of(SEGMENT), std::string(SEGMENT, '\0'));
	store.write("commitlog/" + name_of(2 * SEGMENT), std::string(SEGMENT, '\0'));
	expect_clean(store);
}

TEST(Verify, PreparedRolledBackAndMultiDispatchAreUnderstood)
{
	Store store;
	Message half, two;
	half.sys_flag = MESSAGE_PREPARED;
	half.queue_offset = 0;
	half.queued = false;
	store.add(half);
	two.properties = "INNER_MULTI_DISPATCH\1%LMQ%x\2INNER_MULTI_QUEUE_OFFSET\1"
			 "0\2";
	uint64_t at = store.add(two);
	Message alias;
	alias.topic = "%LMQ%x";
	store.save();
	std::filesystem::create_directories(store.path("consumequeue/%LMQ%x/0"));
	std::filesystem::copy_file(store.path("consumequeue/T/0/" + name_of(0)),
				   store.path("consumequeue/%LMQ%x/0/" + name_of(0)));
	expect_clean(store);
	store.flip("consumequeue/%LMQ%x/0/" + name_of(0), 7, 1);
	expect_found(store, store.place("consumequeue/%LMQ%x/0/" + name_of(0), 0),
		     "its message is at " + std::to_string(at));
}

/* Every byte of a record's head: what is turned over there is found, in that record or in its unit.
 */
TEST(Verify, AFlippedBitAnywhereInARecordsHeadIsFound)
{
	Store store;
	store.add_many(20);
	store.save();
	uint64_t at = store.records()[9];
	/* born time and host, flag, store host, reconsumeTimes and the offset of a transaction are
	 * free */
	for (uint64_t i : {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 20, 27, 28, 35, 84, 87}) {
		store.flip_log(at + i, 2);
		Result result = run({"verify", store.root()});
		EXPECT_EQ(result.code, CLI_FAILED) << "byte " << i << "\n" << result.out;
		EXPECT_TRUE(holds(result.out, store.log_place(at)) ||
			    holds(result.out, "consumequeue/T/"))
			<< "byte " << i << "\n"
			<< result.out;
		store.flip_log(at + i, 2);
	}
	expect_clean(store);
}

TEST(Verify, AFlippedBitInABodyIsFound)
{
	Store store;
	store.add_many(50);
	store.save();
	uint64_t at = store.records()[24];
	store.flip_log(at + 100);
	expect_found(store, store.log_place(at), "the record says");
}

TEST(Verify, DamageInsideTheLogIsNamedAndTheRestRead)
{
	Store store;
	store.add_many(60);
	store.save();
	uint64_t at = store.records()[30];
	store.flip_log(at + 5);
	expect_found(store, store.log_place(at),
		     "log offsets " + std::to_string(at) + " to " +
			     std::to_string(store.records()[31]));
	Result result = run({"verify", store.root()});
	EXPECT_TRUE(holds(result.out, "59 records")) << result.out;
	EXPECT_TRUE(holds(result.out, "1 findings")) << result.out;
}

TEST(Verify, ChangedTagsAndBrokenPropertiesAreFound)
{
	Store store;
	Message message;
	store.add_many(8);
	uint64_t at = store.add(message);
	store.add_many(8);
	store.save();
	uint64_t properties = at + 88 + 5 + 1 + 1 + 2;
	store.flip_log(properties + 5);
	expect_found(store, store.path("consumequeue/T/0/"), "has the tags code 2598919");
	store.flip_log(properties + 5);
	store.flip_log(properties + 4, 3);
	expect_found(store, store.log_place(at), "is not a name and a value");
}

TEST(Verify, TheEndOfTheLogIsTold)
{
	Store store;
	store.add_many(10);
	store.save();
	uint64_t last = store.records().back();
	std::filesystem::resize_file(store.path("commitlog/" + name_of(0)), last + 50);
	std::filesystem::resize_file(store.path("commitlog/" + name_of(0)), SEGMENT);
	expect_found(store, store.log_place(last + 3), "the log ends at " + std::to_string(last));
	expect_found(store, "consumequeue/", "point behind the log's end at");
	Result result = run({"repair", "--dry-run", store.root()});
	EXPECT_EQ(result.code, CLI_FAILED) << result.out;
	EXPECT_TRUE(holds(result.out, "cut the log at " + std::to_string(last))) << result.out;
	EXPECT_TRUE(holds(result.out, "cut 1 units")) << result.out;
}

TEST(Verify, FilesOfOtherSizesNamesAndGapsAreFound)
{
	Store store;
	store.add_many(200);
	store.save();
	std::string second = "commitlog/" + name_of(SEGMENT);
	store.write("commitlog/notes.txt", "x");
	expect_found(store, store.place("commitlog/notes.txt", 0), "20 digits");
	std::filesystem::remove(store.path("commitlog/notes.txt"));
	std::filesystem::resize_file(store.path(second), SEGMENT - 100);
	expect_found(store, store.place(second, SEGMENT - 100), "3996 bytes, the others 4096");
	std::filesystem::remove(store.path(second));
	expect_found(store, store.place("commitlog/" + name_of(2 * SEGMENT), 0),
		     "files are missing before it");
}

TEST(Verify, EachFieldOfAUnitIsCompared)
{
	Store store;
	store.add_many(60);
	store.save();
	std::string file = "consumequeue/T/1/" + name_of(0);
	for (auto &[byte, said] : std::map<uint64_t, std::string>{
		     {7, "points to log offset"}, {11, "says size"}, {19, "tags code"}}) {
		store.flip(file, 5 * MESSAGE_UNIT_SIZE + byte);
		expect_found(store, store.place(file, 5 * MESSAGE_UNIT_SIZE), said);
		store.flip(file, 5 * MESSAGE_UNIT_SIZE + byte);
	}
	expect_clean(store);
}

TEST(Verify, MissingAndForeignUnitsAreFound)
{
	Store store;
	Message message;
	store.add_many(60);
	message.queued = false;
	message.queue = 1;
	store.add(message);
	uint64_t second = store.add(message);
	store.save();
	(void)second;
	expect_found(store, store.path("consumequeue/T/1/" + name_of(0)),
		     "but the log has 2 messages more");
	Result result = run({"repair", "--dry-run", store.root()});
	EXPECT_TRUE(holds(result.out, "append units of 2 messages")) << result.out;
	std::filesystem::remove_all(store.path("consumequeue"));
	expect_found(store, "consumequeue:0: ", "no queues at all");
}

TEST(Verify, QueuesMayBeginLaterAndHaveFillers)
{
	Store store;
	Message message;
	store.add_many(3);
	message.queue = 9;
	message.queue_offset = 30;
	store.add(message);
	store.save();
	std::string file = "consumequeue/T/9/" + name_of(0);
	std::fstream out(store.path(file), std::ios::binary | std::ios::in | std::ios::out);
	uint8_t filler[MESSAGE_UNIT_SIZE];
	queue_unit unit = {0, 0, MESSAGE_UNIT_FILLER};
	message_unit_write(filler, &unit);
	for (int i = 0; i < 30; i++)
		out.write((const char *)filler, sizeof(filler));
	out.close();
	expect_clean(store);
}

TEST(Verify, TheCheckpointIsCompared)
{
	Store store;
	store.add_many(20);
	store.save();
	for (uint64_t byte : {2, 10, 18, 26, 33, 39, 43, 3000}) {
		if (byte == 26)
			continue; /* of a master that is not here */
		store.flip("checkpoint", byte, 3);
		expect_found(store, store.place("checkpoint", byte < 48 ? byte / 8 * 8 : byte), "");
		store.flip("checkpoint", byte, 3);
	}
	std::filesystem::resize_file(store.path("checkpoint"), 100);
	expect_found(store, store.place("checkpoint", 100), "100 bytes, 4096 are due");
}

TEST(Verify, IndexFilesAreComparedWithTheLog)
{
	Store store;
	for (int i = 0; i < 60; i++) {
		Message message;
		message.properties = "KEYS\1key" + std::to_string(i) + "\2TAGS\1TagA\2";
		store.add(message);
	}
	store.save();
	store.save_index();
	expect_clean(store);
	const uint64_t entries = 40 + 10 * 4;
	const std::string first = Store::index_name(0), second = Store::index_name(1);
	struct {
		uint64_t byte, place;
		const char *said;
	} cases[] = {
		{7, 0, "beginTimestamp is"},
		{15, 8, "endTimestamp is"},
		{23, 16, "beginPhyOffset is"},
		{31, 24, "endPhyOffset is"},
		{35, 32, "hashSlotCount is"},
		{36, 36, "indexCount is"},
		{40 + 3, 40, "slot 0 leads to"},
		{entries + 5 * 20 + 3, entries + 5 * 20, "no such key"},
		{entries + 5 * 20 + 9, entries + 5 * 20, "points to log offset"},
		{entries + 5 * 20 + 13, entries + 5 * 20 + 12, "seconds"},
		{entries + 5 * 20 + 19, entries + 5 * 20 + 16, "entry 5 leads to entry"},
	};
	for (const std::string &file : {first, second}) {
		for (auto &c : cases) {
			store.flip(file, c.byte, 1);
			expect_found(store, store.place(file, c.place), c.said);
			store.flip(file, c.byte, 1);
		}
	}
	expect_clean(store);
	std::filesystem::resize_file(store.path(first), 700);
	expect_found(store, store.place(first, 700), "not what an IndexFile has");
	std::filesystem::remove(store.path(first));
	expect_clean(store);
	store.write("index/notes", "x");
	expect_found(store, store.place("index/notes", 0), "not a time");
}

TEST(Verify, AChangedKeyIsFoundByTheIndex)
{
	Store store;
	Message message;
	message.properties = "KEYS\1key\2";
	uint64_t at = store.add(message);
	store.add(message);
	store.save();
	store.save_index();
	expect_clean(store);
	store.flip_log(at + 88 + 5 + 1 + 1 + 2 + 5);
	expect_found(store, store.path(Store::index_name(0)), "has no such key");
}

TEST(Verify, StateFilesAreRead)
{
	Store store;
	store.write("config/topics.json.bak", "{\"topicConfigTable\":{},}");
	expect_found(store, store.path("config/topics.json.bak") + ":", "");
	std::filesystem::remove(store.path("config/topics.json.bak"));
	store.write("config/consumerOffset.json", "{\"offsetTable\":{\"T@G\":{0:x}}}");
	expect_found(store, store.path("config/consumerOffset.json") + ":", "");
	store.write("config/consumerOffset.json", "{\"offsetTable\":{\"TG\":{0:1}}}");
	expect_found(store, store.place("config/consumerOffset.json", 17), "TOPIC@GROUP");
	store.write("config/consumerOffset.json", "");
	store.write("config/subscriptionGroup.json", "{}");
	expect_found(store, store.place("config/subscriptionGroup.json", 0),
		     "no subscriptionGroupTable");
}

TEST(Dump, FindsByQueuePlaceAndKey)
{
	Store store;
	store.add_many(60);
	Message message;
	message.topic = "Keys";
	message.properties = "KEYS\1one two\2UNIQ_KEY\1U1\2";
	message.body = "found";
	uint64_t at = store.add(message);
	store.save();
	std::string place = "at=" + std::to_string(at) + " ";
	for (std::vector<std::string> words :
	     std::vector<std::vector<std::string>>{{"--key", "two"},
						   {"--key", "U1"},
						   {"--topic", "Keys", "--queue", "0"},
						   {"--topic", "Keys"},
						   {"--offset", std::to_string(at)}}) {
		words.insert(words.begin(), {"dump", store.root(), "--body", "--max", "1"});
		Result result = run(words);
		EXPECT_EQ(result.code, CLI_DONE) << result.err;
		EXPECT_EQ(result.out.find(place), 0u) << result.out;
		EXPECT_TRUE(holds(result.out, "body=found")) << result.out;
	}
	Result none = run({"dump", store.root(), "--topic", "Nope", "--queue", "0"});
	EXPECT_EQ(none.code, CLI_FAILED);
	EXPECT_TRUE(holds(none.err, "no queue 0 of topic Nope"));
}

TEST(Stats, CountsQueues)
{
	Store store;
	store.add_many(60);
	store.save();
	Result result = run({"stats", store.root(), "--output", "json"});
	EXPECT_EQ(result.code, CLI_DONE) << result.err;
	EXPECT_TRUE(holds(result.out, "\"messages\":60,")) << result.out;
	EXPECT_TRUE(holds(result.out, "\"firstStoreTimestamp\":1700000000000,"
				      "\"lastStoreTimestamp\":1700000000059"))
		<< result.out;
}

TEST(Usage, IsSaid)
{
	Store store;
	EXPECT_EQ(run({"verify"}).code, CLI_USAGE);
	EXPECT_EQ(run({"verify", "/nowhere/at/all"}).code, CLI_USAGE);
	EXPECT_EQ(run({"verify", store.root(), "more"}).code, CLI_USAGE);
	EXPECT_EQ(run({"repair", store.root()}).code, CLI_USAGE);
	EXPECT_EQ(run({"verify", store.root(), "--path-commit-log", "/nowhere"}).code, CLI_USAGE);
	EXPECT_EQ(run({"dump", store.root(), "--topic", "../x", "--queue", "0"}).code, CLI_USAGE);
	EXPECT_EQ(run({"verify", store.root(), "--message-delay-level", "1x"}).code, CLI_USAGE);
}

TEST(Verify, TheLogMayLieElsewhere)
{
	Store store;
	store.add_many(200);
	store.save();
	std::filesystem::create_directories(store.path("a"));
	std::filesystem::create_directories(store.path("b"));
	int i = 0;
	for (auto &file : std::filesystem::directory_iterator(store.path("commitlog")))
		std::filesystem::rename(file.path(), store.path(i++ % 2 ? "a" : "b") + "/" +
							     file.path().filename().string());
	Result result = run({"verify", store.root(), "--path-commit-log",
			     store.path("a") + "," + store.path("b")});
	EXPECT_EQ(result.code, CLI_DONE) << result.out << result.err;
	EXPECT_TRUE(holds(result.out, "200 records")) << result.out;
}
