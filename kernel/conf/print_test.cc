// SPDX-License-Identifier: Apache-2.0
// What is in force, as it is shown to people and to plugins.
#include "conf/test.h"

#include <map>

namespace
{

struct Snapshot {
	int64_t port, size;
	const char *root, *password, *address;
};

gantry_conf_item row(unsigned type, const char *key, size_t offset, const char *dflt = nullptr,
		     unsigned flags = 0, const char *help = nullptr)
{
	gantry_conf_item item = {};

	item.key = key;
	item.type = static_cast<uint16_t>(type);
	item.flags = static_cast<uint16_t>(flags);
	item.offset = static_cast<uint32_t>(offset);
	item.dflt = dflt;
	item.help = help;
	return item;
}

const gantry_conf_item role_items[] = {
	row(GANTRY_CONF_INT, "listenPort", offsetof(Snapshot, port), "10911", GANTRY_CONF_RELOAD,
	    "Where clients connect."),
	row(GANTRY_CONF_PATH, "storePathRootDir", offsetof(Snapshot, root), "~/store",
	    GANTRY_CONF_REQUIRED),
	row(GANTRY_CONF_STRING, "password", offsetof(Snapshot, password), nullptr,
	    GANTRY_CONF_SECRET | GANTRY_CONF_REMOTE),
	{},
};
const gantry_conf_item storage_items[] = {
	row(GANTRY_CONF_SIZE, "warmAhead", offsetof(Snapshot, size), "64m"),
	row(GANTRY_CONF_ADDRESS, "peer", offsetof(Snapshot, address)),
	{},
};

class ConfPrint : public ConfTest
{
      protected:
	void start(const std::string &properties)
	{
		Snapshot at;
		std::string before = getenv("HOME") ? getenv("HOME") : "";

		setenv("HOME", "/h", 1);
		broker(properties);
		fragment("a.conf", "[kernel]\nwarmAhead = 1m\n[defaults broker]\nchoice = x\n"
				   "brokerName = weak\n"
				   "[plugin role-x]\n[plugin storage-y:one]\nwhen = choice=x\n"
				   "when = role=broker\nwhen = unset=\npeer = a:1\n");
		ASSERT_EQ(choose(), 0) << why();
		for (auto &[name, items] : std::map<std::string, const gantry_conf_item *>{
			     {"role-x", role_items}, {"storage-y:one", storage_items}})
			ASSERT_EQ(gk_conf_fill(conf, chosen(name), items, &at, sizeof(at), &error),
				  0)
				<< why();
		ASSERT_EQ(gk_conf_fill(conf, nullptr, storage_items, &at, sizeof(at), &error), 0);
		setenv("HOME", before.c_str(), 1);
	}
	std::string each(const gk_chosen *of)
	{
		std::string text;

		gk_conf_each(
			conf, of,
			[](const char *key, const char *value, void *user) {
				*static_cast<std::string *>(user) +=
					std::string(key) + "=" + value + "\n";
			},
			&text);
		return text;
	}
};

TEST_F(ConfPrint, EveryValueWithItsOrigin)
{
	start("password=hunter2\nstorePathRootDir=~/a\nsendMessageThreadPoolNums=1\n");
	gk_conf_override(conf, "broker", "late", "1", "-n"); // after the fill: not in force
	EXPECT_EQ(printed(), "broker - choice = x  # conf.d/a.conf:4\n"
			     "broker role-x listenPort = 10911  # default\n"
			     "broker role-x password = ******  # broker.properties:1\n"
			     "broker role-x storePathRootDir = /h/a  # broker.properties:2\n"
			     "broker storage-y:one peer = a:1  # conf.d/a.conf:11\n"
			     "broker storage-y:one warmAhead = 64m  # default\n"
			     "kernel - peer =   # not set\n"
			     "kernel - warmAhead = 1m  # conf.d/a.conf:2\n");
}

TEST_F(ConfPrint, ValuesStayOnOneLine)
{
	start("storePathRootDir=\\ /a\\nb\\tc\\\\d\\u0001\\u4e2d\n");
	EXPECT_NE(printed().find("storePathRootDir = /a\\nb\\tc\\\\d\\u0001\xe4\xb8\xad  # "
				 "broker.properties:1\n"),
		  std::string::npos)
		<< printed();
}

// Escaping undoes what reading does, whatever the text.
TEST_F(ConfPrint, EscapedTextsReadBack)
{
	for (const char *value : {"plain", "a b", " lead", "tab\there", "line\nbreak",
				  "back\\slash", "a=b:c#d!e", "\x01\x7f", "\xe4\xb8\xad", ""}) {
		g_autoptr(GString) text = g_string_new("k = ");
		gk_line line;
		gk_pair pair;

		gk_escape(value, text);
		line = {text->str, text->len, 1};
		ASSERT_EQ(gk_line_split(&line, &pair), nullptr);
		EXPECT_STREQ(g_strstrip(pair.value), g_strstrip(std::string(value).data()));
	}
}

TEST_F(ConfPrint, TextsOfOneInstance)
{
	start("brokerName=b\nstorePathRootDir=~/a\npassword=hunter2\n");
	const gk_chosen *of = chosen("role-x"), *storage = chosen("storage-y:one");

	EXPECT_STREQ(gk_conf_text(conf, of, "listenPort"), "10911");
	EXPECT_STREQ(gk_conf_text(conf, of, "storePathRootDir"), "/h/a");
	EXPECT_STREQ(gk_conf_text(conf, of, "password"), "hunter2");
	EXPECT_STREQ(gk_conf_text(conf, of, "brokerName"), "b"); // in no table
	EXPECT_STREQ(gk_conf_text(conf, of, "choice"), "x");
	EXPECT_EQ(gk_conf_text(conf, of, "nothing"), nullptr);
	EXPECT_EQ(gk_conf_text(conf, of, "peer"), nullptr); // another instance's section
	EXPECT_STREQ(gk_conf_text(conf, storage, "peer"), "a:1");
	EXPECT_EQ(gk_conf_text(conf, storage, "when"), nullptr);
	EXPECT_STREQ(gk_conf_text(conf, nullptr, "warmAhead"), "1m");
	EXPECT_EQ(gk_conf_text(conf, nullptr, "brokerName"), nullptr);
}

TEST_F(ConfPrint, EveryKeyOfTheRole)
{
	start("password=hunter2\nstorePathRootDir=/s\ninitAuthenticationUser=u:p\nzz=1\nzz=2\n");
	std::string all = "brokerName=weak\nchoice=x\ninitAuthenticationUser=******\n"
			  "listenPort=10911\npassword=******\npeer=a:1\nstorePathRootDir=/s\n"
			  "warmAhead=64m\nzz=2\n";

	EXPECT_EQ(each(chosen("role-x")), all);
	EXPECT_EQ(each(chosen("storage-y:one")), all);
	EXPECT_EQ(each(nullptr), "warmAhead=1m\n");
}

TEST_F(ConfPrint, ATableAsASample)
{
	std::string text = captured([](FILE *to) { gk_conf_document(role_items, "role-x", to); });

	EXPECT_EQ(text, "[plugin role-x]\n"
			"\n"
			"# Where clients connect.\n"
			"# A whole number. SIGHUP may change it.\n"
			"# listenPort = 10911\n"
			"\n"
			"# A path. Must be given.\n"
			"# storePathRootDir = ~/store\n"
			"\n"
			"# A text. May be changed over the network. Never printed.\n"
			"# password =\n");
	EXPECT_EQ(captured([](FILE *to) { gk_conf_document(nullptr, nullptr, to); }), "[kernel]\n");
}

TEST_F(ConfPrint, SamplesBreakLongLines)
{
	std::string word(120, 'w'),
		help = "one two " + std::string(95, 'x') + " three " + word + " four";
	const gantry_conf_item items[] = {row(GANTRY_CONF_INT, "k", 0, "1", 0, help.c_str()), {}};
	std::string text = captured([&](FILE *to) { gk_conf_document(items, "p", to); });

	EXPECT_NE(text.find("# one two\n# " + std::string(95, 'x') + "\n# three\n# " + word),
		  std::string::npos)
		<< text;
	// A sample is a fragment: it can be read.
	fragment("sample.conf", text);
	EXPECT_EQ(read_fragments(), 0) << why();
}

} // namespace
