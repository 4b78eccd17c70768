// SPDX-License-Identifier: Apache-2.0
// Pass two: a plugin's table, precedence of the sources, and the snapshot.
#include "conf/test.h"

#include <cerrno>
#include <cstddef>

namespace
{

struct Snapshot {
	bool yes;
	int64_t port, size, period;
	int32_t mode;
	const char *name, *path, *address;
	gantry_conf_list names;
};

const char *const modes[] = {"ONE", "TWO", nullptr};

gantry_conf_item row(unsigned type, const char *key, size_t offset, const char *dflt = nullptr,
		     unsigned flags = 0, int64_t min = 0, int64_t max = 0)
{
	gantry_conf_item item = {};

	item.key = key;
	item.type = static_cast<uint16_t>(type);
	item.flags = static_cast<uint16_t>(flags);
	item.offset = static_cast<uint32_t>(offset);
	item.dflt = dflt;
	item.min = min;
	item.max = max;
	item.choices = modes;
	return item;
}

const gantry_conf_item items[] = {
	row(GANTRY_CONF_BOOL, "yes", offsetof(Snapshot, yes), "true"),
	row(GANTRY_CONF_INT, "port", offsetof(Snapshot, port), "10911", 0, 1, 65535),
	row(GANTRY_CONF_SIZE, "size", offsetof(Snapshot, size), "1m"),
	row(GANTRY_CONF_DURATION, "period", offsetof(Snapshot, period)),
	row(GANTRY_CONF_ENUM, "mode", offsetof(Snapshot, mode), "TWO"),
	row(GANTRY_CONF_STRING, "name", offsetof(Snapshot, name)),
	row(GANTRY_CONF_PATH, "path", offsetof(Snapshot, path), "/var"),
	row(GANTRY_CONF_ADDRESS, "address", offsetof(Snapshot, address)),
	row(GANTRY_CONF_STRING, "names", offsetof(Snapshot, names), "a;b", GANTRY_CONF_LIST),
	{},
};

class ConfFill : public ConfTest
{
      protected:
	int fill(const gantry_conf_item *table = items, size_t size = sizeof(Snapshot))
	{
		memset(&at, 0xff, sizeof(at));
		return code = gk_conf_fill(conf, chosen("role-x"), table, &at, size, &error);
	}
	void start(const std::string &properties, const std::string &section = "",
		   const std::string &defaults = "")
	{
		broker(properties);
		fragment("a.conf",
			 "[defaults broker]\n" + defaults + "\n[plugin role-x]\n" + section);
		ASSERT_EQ(choose(), 0) << why();
	}
	Snapshot at;
};

TEST_F(ConfFill, Defaults)
{
	start("");
	ASSERT_EQ(fill(), 0) << why();
	EXPECT_TRUE(at.yes);
	EXPECT_EQ(at.port, 10911);
	EXPECT_EQ(at.size, 1 << 20);
	EXPECT_EQ(at.period, 0);
	EXPECT_EQ(at.mode, 1);
	EXPECT_EQ(at.name, nullptr);
	EXPECT_STREQ(at.path, "/var");
	EXPECT_EQ(at.address, nullptr);
	ASSERT_EQ(at.names.count, 2u);
	EXPECT_STREQ(at.names.at[1], "b");
	EXPECT_EQ(at.names.reserved, 0u);
}

TEST_F(ConfFill, TheStrongestSourceWins)
{
	start("port=2\nsize=2\nperiod=2\n", "size = 3\nperiod = 3\n",
	      "yes=false\nport=1\nsize=1\nperiod=1\n");
	EXPECT_EQ(gk_conf_override(conf, "broker", "period", "4s", "-x"), 0);
	ASSERT_EQ(fill(), 0) << why();
	EXPECT_FALSE(at.yes);
	EXPECT_EQ(at.port, 2);
	EXPECT_EQ(at.size, 3);
	EXPECT_EQ(at.period, 4000);
}

TEST_F(ConfFill, TheEnvironmentIsWeakerThanTheFile)
{
	const gantry_conf_item table[] = {
		row(GANTRY_CONF_STRING, "namesrvAddr", offsetof(Snapshot, name), "default"), {}};

	setenv("NAMESRV_ADDR", "env:1", 1);
	start("", "", "namesrvAddr = weak:1");
	unsetenv("NAMESRV_ADDR");
	ASSERT_EQ(fill(table), 0) << why();
	EXPECT_STREQ(at.name, "env:1");

	gk_conf_free(conf);
	conf = gk_conf_new();
	setenv("NAMESRV_ADDR", "env:1", 1);
	start("namesrvAddr = file:1");
	unsetenv("NAMESRV_ADDR");
	ASSERT_EQ(fill(table), 0) << why();
	EXPECT_STREQ(at.name, "file:1");
}

TEST_F(ConfFill, OfAKeyGivenTwiceTheLastWins)
{
	start("port=1\nname=a\nport=2\n");
	ASSERT_EQ(fill(), 0) << why();
	EXPECT_EQ(at.port, 2);
}

TEST_F(ConfFill, WrongValuesNameEverything)
{
	const struct {
		const char *line, *why;
	} rows[] = {
		{"port=99999",
		 "port = \"99999\" is out of range; expected a whole number from 1 to "
		 "65535"},
		{"port=", "port = \"\" is empty; expected a whole number from 1 to 65535"},
		{"yes=on", "yes = \"on\" is neither; expected true or false"},
		{"mode=THREE", "mode = \"THREE\" is none of them; expected ONE or TWO"},
		{"size=1x",
		 "size = \"1x\" is not a number; expected a size of at least 0: bytes, or "
		 "with k, m or g"},
		{"address=here",
		 "address = \"here\" has no port; expected HOST:PORT, [IPV6]:PORT or "
		 ":PORT"},
	};

	for (auto &row : rows) {
		gk_conf_free(conf);
		conf = gk_conf_new();
		start("# a comment\n" + std::string(row.line) + "\n");
		EXPECT_EQ(fill(), -EINVAL);
		EXPECT_EQ(why(), "broker.properties:2: " + std::string(row.why));
	}
}

TEST_F(ConfFill, ErrorsNameWhereAValueCameFrom)
{
	start("", "port = a\n");
	EXPECT_EQ(fill(), -EINVAL);
	EXPECT_EQ(why().rfind("conf.d/a.conf:4: port = \"a\" is not a number", 0), 0u) << why();
	gk_conf_override(conf, "broker", "port", "b", "-p");
	gk_conf_free(conf);
	conf = gk_conf_new();
	start("");
	gk_conf_override(conf, "broker", "port", "b", "-p");
	EXPECT_EQ(fill(), -EINVAL);
	EXPECT_EQ(why().rfind("-p: port = \"b\" is not a number", 0), 0u) << why();
}

TEST_F(ConfFill, LongAndOddTextsAreShownSafely)
{
	start("port=" + std::string(200, 'x') + "\n");
	EXPECT_EQ(fill(), -EINVAL);
	EXPECT_NE(why().find("\"" + std::string(80, 'x') + "...\""), std::string::npos) << why();
	gk_conf_free(conf);
	conf = gk_conf_new();
	start("port=a\\nb\\u001bc" + std::string(74, 'x') + "\\u4e2d\\u4e2d\n");
	EXPECT_EQ(fill(), -EINVAL);
	EXPECT_NE(why().find("\"a?b?c" + std::string(74, 'x') + "...\""), std::string::npos)
		<< why();
	EXPECT_TRUE(g_utf8_validate(error.text, -1, nullptr));
}

TEST_F(ConfFill, SecretsAreNotShown)
{
	const gantry_conf_item table[] = {
		row(GANTRY_CONF_INT, "pin", offsetof(Snapshot, port), nullptr, GANTRY_CONF_SECRET),
		{}};

	start("pin=hunter2\n");
	EXPECT_EQ(fill(table), -EINVAL);
	EXPECT_EQ(why(), "broker.properties:1: pin = \"******\" is not a number; expected a whole "
			 "number");
}

TEST_F(ConfFill, RequiredKeys)
{
	const gantry_conf_item table[] = {row(GANTRY_CONF_ADDRESS, "address",
					      offsetof(Snapshot, address), nullptr,
					      GANTRY_CONF_REQUIRED),
					  {}};

	start("");
	EXPECT_EQ(fill(table), -EINVAL);
	EXPECT_EQ(why(), "broker.properties: address must be given, plugin role-x of role broker "
			 "needs it; expected HOST:PORT, [IPV6]:PORT or :PORT");
}

TEST_F(ConfFill, WrongTablesNameThePlugin)
{
	gantry_conf_item wrong = row(GANTRY_CONF_ENUM, "k", offsetof(Snapshot, mode));
	const char *const none[] = {nullptr};

	wrong.choices = none;
	const struct {
		gantry_conf_item item;
		const char *why;
	} rows[] = {
		{row(99, "k", 0), "a type that this kernel does not know"},
		{row(0, "k", 0), "a type that this kernel does not know"},
		{row(GANTRY_CONF_INT, "k", 0, nullptr, GANTRY_CONF_LIST),
		 "a list of something else than STRING, PATH or ADDRESS"},
		{wrong, "an ENUM without choices"},
		{row(GANTRY_CONF_INT, "k", 0, nullptr, 0, 5, 4), "a min over its max"},
		{row(GANTRY_CONF_INT, "k", 4), "a field at an odd place"},
		{row(GANTRY_CONF_INT, "k", sizeof(Snapshot)), "a field beyond the snapshot struct"},
		{row(GANTRY_CONF_INT, "k", 0xfffffff8), "a field beyond the snapshot struct"},
		{row(GANTRY_CONF_STRING, "when", 0), "a name that sections keep for themselves"},
	};

	start("");
	for (auto &each : rows) {
		const gantry_conf_item table[] = {each.item, {}};

		EXPECT_EQ(fill(table), -EINVAL);
		EXPECT_EQ(why(), "plugin role-x: key " + std::string(each.item.key) +
					 " of its table has " + each.why);
	}
	const gantry_conf_item twice[] = {
		row(GANTRY_CONF_INT, "k", 0), row(GANTRY_CONF_INT, "k", 8), {}};
	EXPECT_EQ(fill(twice), -EINVAL);
	EXPECT_EQ(why(), "plugin role-x: key k of its table has two rows");
	const gantry_conf_item dflt[] = {row(GANTRY_CONF_INT, "k", 0, "zero"), {}};
	EXPECT_EQ(fill(dflt), -EINVAL);
	EXPECT_EQ(why(), "plugin role-x: the default of k, \"zero\", is not a number; expected a "
			 "whole number");
}

TEST_F(ConfFill, APluginWithoutKeys)
{
	start("");
	EXPECT_EQ(gk_conf_fill(conf, chosen("role-x"), nullptr, nullptr, 0, &error), 0);
	EXPECT_EQ(fill(nullptr), 0);
	EXPECT_EQ(at.port, 0); // zeroed all the same
}

TEST_F(ConfFill, TheKernelsSection)
{
	broker("port=7\n");
	fragment("a.conf", "[kernel]\nport = 5\n");
	ASSERT_EQ(choose(), 0) << why();
	ASSERT_EQ(gk_conf_fill(conf, nullptr, items, &at, sizeof(at), &error), 0) << why();
	EXPECT_EQ(at.port, 5);
}

TEST_F(ConfFill, SnapshotsOutliveEachOther)
{
	Snapshot first;

	start("path=~/x\nnames=p,q\nname=\\u4e2d\n");
	ASSERT_EQ(fill(), 0) << why();
	first = at;
	ASSERT_EQ(fill(), 0) << why();
	EXPECT_STREQ(first.names.at[0], "p");
	EXPECT_STREQ(first.name, "\xe4\xb8\xad");
	EXPECT_STREQ(first.path, at.path);
}

TEST_F(ConfFill, SomethingThatWasNotChosen)
{
	gk_chosen other = {"a", "a", "broker", "broker", "f", 1};

	start("");
	EXPECT_EQ(gk_conf_fill(conf, &other, items, &at, sizeof(at), &error), -ENOENT);
	EXPECT_EQ(why(), "a of role broker was not chosen");
}

} // namespace
