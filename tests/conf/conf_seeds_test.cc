// SPDX-License-Identifier: Apache-2.0
// The property files of the articles that describe RocketMQ clusters, as users have them: each
// loads, chooses modules and gets the warnings in expect/. GANTRY_RECORD=1 writes those anew.
#include "conf/test.h"

#include <cerrno>
#include <fstream>
#include <sstream>

namespace
{

namespace fs = std::filesystem;

// As wide as any of the fields.
struct Snapshot {
	int64_t number[24];
	const char *text[24];
	gantry_conf_list list[4];
};

const char *const broker_roles[] = {"ASYNC_MASTER", "SYNC_MASTER", "SLAVE", nullptr};
const char *const flush_types[] = {"ASYNC_FLUSH", "SYNC_FLUSH", nullptr};

// A table like the broker role's.
std::vector<gantry_conf_item> broker_items()
{
	std::vector<gantry_conf_item> items;
	unsigned numbers = 0, texts = 0, lists = 0;
	auto add = [&](unsigned type, const char *key, const char *dflt, int64_t min = 0,
		       int64_t max = 0, const char *const *choices = nullptr) {
		gantry_conf_item item = {};
		bool text = type >= GANTRY_CONF_STRING;
		bool list = type == GANTRY_CONF_ADDRESS;

		item.key = key;
		item.type = static_cast<uint16_t>(type);
		item.flags = list ? GANTRY_CONF_LIST : 0;
		item.dflt = dflt;
		item.min = min;
		item.max = max;
		item.choices = choices;
		item.offset = static_cast<uint32_t>(
			list   ? offsetof(Snapshot, list) + sizeof(gantry_conf_list) * lists++
			: text ? offsetof(Snapshot, text) + sizeof(char *) * texts++
			       : offsetof(Snapshot, number) + sizeof(int64_t) * numbers++);
		items.push_back(item);
	};

	add(GANTRY_CONF_STRING, "brokerClusterName", "DefaultCluster");
	add(GANTRY_CONF_STRING, "brokerName", nullptr);
	add(GANTRY_CONF_INT, "brokerId", "0");
	add(GANTRY_CONF_STRING, "brokerIP1", nullptr);
	add(GANTRY_CONF_STRING, "brokerIP2", nullptr);
	add(GANTRY_CONF_ENUM, "brokerRole", "ASYNC_MASTER", 0, 0, broker_roles);
	add(GANTRY_CONF_ENUM, "flushDiskType", "ASYNC_FLUSH", 0, 0, flush_types);
	add(GANTRY_CONF_ADDRESS, "namesrvAddr", nullptr);
	add(GANTRY_CONF_INT, "listenPort", "10911", 1, 65535);
	add(GANTRY_CONF_STRING, "deleteWhen", "04");
	add(GANTRY_CONF_INT, "fileReservedTime", "72", 0, 1 << 20);
	add(GANTRY_CONF_INT, "diskMaxUsedSpaceRatio", "75", 10, 95);
	add(GANTRY_CONF_PATH, "storePathRootDir", "${user.home}/store");
	add(GANTRY_CONF_PATH, "storePathCommitLog", nullptr);
	add(GANTRY_CONF_SIZE, "mappedFileSizeCommitLog", "1073741824");
	add(GANTRY_CONF_SIZE, "maxMessageSize", "4194304");
	add(GANTRY_CONF_INT, "defaultTopicQueueNums", "8", 1, 65535);
	add(GANTRY_CONF_BOOL, "autoCreateTopicEnable", "true");
	add(GANTRY_CONF_BOOL, "autoCreateSubscriptionGroup", "true");
	items.push_back({});
	return items;
}

std::string slurp(const fs::path &path)
{
	std::ostringstream text;

	text << std::ifstream(path, std::ios::binary).rdbuf();
	return text.str();
}

std::vector<fs::path> seeds()
{
	std::vector<fs::path> paths;

	for (auto &entry : fs::directory_iterator(fs::path(CONF_TESTS) / "seeds"))
		if (entry.path().extension() == ".properties")
			paths.push_back(entry.path());
	std::sort(paths.begin(), paths.end());
	return paths;
}

class ConfSeeds : public ConfTest, public ::testing::WithParamInterface<fs::path>
{
      protected:
	void load()
	{
		std::string name = GetParam().filename();

		// under a name without this machine's paths
		role("broker", slurp(GetParam()), name);
		ASSERT_EQ(code, 0) << why();
		ASSERT_EQ(gk_conf_read_directory(conf, CONF_TESTS "/conf.d", &error), 0) << why();
	}
	std::string bare_of_sources(std::string text)
	{
		const std::string prefix = std::string(CONF_TESTS) + "/";

		for (size_t at; (at = text.find(prefix)) != std::string::npos;)
			text.erase(at, prefix.size());
		return bare(text);
	}
	std::string outcome()
	{
		std::vector<gantry_conf_item> items = broker_items();
		Snapshot at;
		std::string text;

		EXPECT_EQ(gk_conf_choose(conf, &error), 0) << why();
		EXPECT_EQ(gk_conf_fill(conf, chosen("role-broker"), items.data(), &at, sizeof(at),
				       &error),
			  0)
			<< why();
		text = "chosen: " + all_chosen() + "\n\nwarnings:\n";
		for (const std::string &line : warnings())
			text += line + "\n";
		text += "\nvalues:\n" + printed();
		return bare_of_sources(text);
	}
};

TEST_P(ConfSeeds, LoadWithTheseWarnings)
{
	fs::path expect =
		fs::path(CONF_TESTS) / "expect" / GetParam().filename().replace_extension("txt");
	std::string text;

	load();
	text = outcome();
	if (getenv("GANTRY_RECORD"))
		std::ofstream(expect, std::ios::binary) << text;
	EXPECT_EQ(text, slurp(expect));
}

// Without a module for it no file that promises DLedger, SLAVE or SYNC_MASTER starts.
TEST_P(ConfSeeds, DoNotStartWithoutTheirReplication)
{
	const gk_entry *entry;
	const char *key = "enableDLegerCommitLog";

	load();
	write("off.d/off.conf", "");
	fs::create_directories(folder / "off.d");
	write("off.d/off.conf", "[plugin replication-dledger]\nenabled = no\n"
				"[plugin replication-slave]\nenabled = no\n"
				"[plugin replication-sync]\nenabled = no\n");
	ASSERT_EQ(gk_conf_read_directory(conf, (folder / "off.d").c_str(), &error), 0) << why();
	const gk_role *of = gk_role_of(conf, "broker");
	entry = gk_role_entry(conf, of, key);
	if (!entry)
		entry = gk_role_entry(conf, of, key = "brokerRole");
	if (std::string(entry->value) == "ASYNC_MASTER") {
		EXPECT_EQ(gk_conf_choose(conf, &error), 0) << why();
		return;
	}
	EXPECT_EQ(gk_conf_choose(conf, &error), -ENOTSUP);
	EXPECT_NE(why().find(std::string(key) + " = \"" + entry->value + "\" promises"),
		  std::string::npos)
		<< why();
	EXPECT_NE(why().find("is switched off (off.d/off.conf:"), std::string::npos) << why();
}

// A second reading of the same files differs in nothing.
TEST_P(ConfSeeds, RereadTheSame)
{
	std::vector<gantry_conf_item> items = broker_items();
	gk_conf *fresh = nullptr;
	unsigned warned = 0;
	Snapshot at;

	load();
	ASSERT_EQ(gk_conf_choose(conf, &error), 0) << why();
	ASSERT_EQ(gk_conf_fill(conf, chosen("role-broker"), items.data(), &at, sizeof(at), &error),
		  0);
	ASSERT_EQ(gk_conf_reread(
			  conf, &fresh,
			  [](const char *, void *count) { ++*static_cast<unsigned *>(count); },
			  &warned, &error),
		  0)
		<< why();
	EXPECT_EQ(warned, 0u);
	EXPECT_EQ(gk_conf_changed(conf, fresh, chosen("role-broker"), items.data()), 0);
	gk_conf_free(fresh);
}

INSTANTIATE_TEST_SUITE_P(Articles, ConfSeeds, ::testing::ValuesIn(seeds()), [](const auto &info) {
	std::string name = info.param.stem();

	for (char &c : name)
		if (!isalnum(c))
			c = '_';
	return name;
});

TEST(ConfSeedFiles, AreThere)
{
	EXPECT_EQ(seeds().size(), 14u);
}

// The fragments as they are installed choose a whole broker and a name server by themselves.
class ConfInstalled : public ConfTest
{
};

TEST_F(ConfInstalled, FragmentsMakeABrokerAndANameServer)
{
	unsigned fragments = 0;
	const char *name;

	for (auto &entry : fs::recursive_directory_iterator(SOURCES "/plugins"))
		if (entry.path().extension() == ".conf") {
			fs::copy(entry.path(), folder / "conf.d" / entry.path().filename());
			fragments++;
		}
	fs::copy(SOURCES "/conf.d/00-gantry.conf", folder / "conf.d");
	ASSERT_EQ(gk_conf_add_role(conf, "broker", &name), 0);
	ASSERT_EQ(gk_conf_add_role(conf, "namesrv", &name), 0);
	ASSERT_EQ(choose(), 0) << why();
	EXPECT_GE(fragments, 5u);
	EXPECT_NE(chosen("storage-mmap"), nullptr);
	EXPECT_NE(chosen("replication-async"), nullptr);
	EXPECT_NE(chosen("role-broker"), nullptr);
	EXPECT_EQ(chosen("role-broker", "namesrv"), nullptr);
}

} // namespace
