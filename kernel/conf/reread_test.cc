// SPDX-License-Identifier: Apache-2.0
// SIGHUP: reading the same files again, what may change, what is kept, what is refused.
#include "conf/test.h"

#include <cerrno>

namespace
{

struct Snapshot {
	int64_t level, port, size;
	const char *name;
};

gantry_conf_item row(unsigned type, const char *key, size_t offset, const char *dflt,
		     unsigned flags = 0)
{
	gantry_conf_item item = {};

	item.key = key;
	item.type = static_cast<uint16_t>(type);
	item.flags = static_cast<uint16_t>(flags);
	item.offset = static_cast<uint32_t>(offset);
	item.dflt = dflt;
	return item;
}

const gantry_conf_item items[] = {
	row(GANTRY_CONF_INT, "level", offsetof(Snapshot, level), "1", GANTRY_CONF_RELOAD),
	row(GANTRY_CONF_INT, "port", offsetof(Snapshot, port), "10911"),
	row(GANTRY_CONF_SIZE, "size", offsetof(Snapshot, size), "1k"),
	row(GANTRY_CONF_STRING, "name", offsetof(Snapshot, name), nullptr),
	{},
};

class ConfReread : public ConfTest
{
      protected:
	~ConfReread() override
	{
		gk_conf_free(fresh);
	}
	void start(const std::string &properties)
	{
		broker(properties);
		fragment("a.conf", "[kernel]\nlevel = 1\n[plugin role-x]\n");
		ASSERT_EQ(choose(), 0) << why();
		ASSERT_EQ(fill(conf).level, 1);
		ASSERT_EQ(gk_conf_fill(conf, nullptr, items, &at, sizeof(at), &error), 0);
	}
	Snapshot fill(gk_conf *from)
	{
		at = {};
		EXPECT_EQ(gk_conf_fill(from, chosen("role-x"), items, &at, sizeof(at), &error), 0)
			<< why();
		return at;
	}
	int reread()
	{
		warned.clear();
		gk_conf_free(fresh);
		fresh = nullptr;
		return gk_conf_reread(
			conf, &fresh,
			[](const char *line, void *user) {
				static_cast<std::vector<std::string> *>(user)->push_back(line);
			},
			&warned, &error);
	}
	bool changed(const gk_chosen *of)
	{
		return gk_conf_changed(conf, fresh, of, items);
	}
	gk_conf *fresh = nullptr;
	std::vector<std::string> warned;
	Snapshot at;
};

TEST_F(ConfReread, NothingChanged)
{
	start("port=5\nsize=2k\n");
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_TRUE(warned.empty());
	EXPECT_FALSE(changed(chosen("role-x")));
	EXPECT_FALSE(changed(nullptr));
	std::string before = printed();
	std::swap(conf, fresh);
	EXPECT_EQ(printed(), before);
}

TEST_F(ConfReread, ReloadableKeysChange)
{
	start("");
	write("broker.properties", "level=7\n");
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_TRUE(warned.empty());
	EXPECT_TRUE(changed(chosen("role-x")));
	EXPECT_FALSE(changed(nullptr));
	EXPECT_EQ(fill(fresh).level, 7);
	EXPECT_EQ(fill(conf).level, 1);
}

TEST_F(ConfReread, TheKernelsKeysChange)
{
	start("");
	fragment("a.conf", "[kernel]\nlevel = 2\nport = 5\n[plugin role-x]\n");
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_TRUE(changed(nullptr));
	ASSERT_EQ(warned.size(), 1u);
	EXPECT_EQ(bare(warned[0]), "conf.d/a.conf:3: port of kernel needs a restart to change; the "
				   "old value stays");
	ASSERT_EQ(gk_conf_fill(fresh, nullptr, items, &at, sizeof(at), &error), 0);
	EXPECT_EQ(at.level, 2);
	EXPECT_EQ(at.port, 10911);
}

TEST_F(ConfReread, OtherKeysStayAsTheyAre)
{
	start("\nport=5\nname=old\n");
	write("broker.properties", "port=6\nsize=1024\nlevel=3\n");
	ASSERT_EQ(reread(), 0) << why();
	ASSERT_EQ(warned.size(), 2u);
	EXPECT_EQ(bare(warned[0]),
		  "broker.properties:1: port of role-x, role broker needs a restart "
		  "to change; the old value stays");
	EXPECT_EQ(warned[1],
		  "default: name of role-x, role broker needs a restart to change; the old "
		  "value stays");
	EXPECT_EQ(fill(fresh).port, 5);
	EXPECT_EQ(fill(fresh).level, 3);
	EXPECT_STREQ(fill(fresh).name, "old");
	EXPECT_STREQ(gk_conf_text(fresh, chosen("role-x"), "port"), "5");

	// The next reading compares with what is in force, and the old one may go.
	std::swap(conf, fresh);
	EXPECT_NE(
		printed().find("port = 5  # broker.properties:2, changed since, needs a restart\n"),
		std::string::npos)
		<< printed();
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_EQ(warned.size(), 2u);
	EXPECT_FALSE(changed(chosen("role-x")));
	write("broker.properties", "port=5\nlevel=3\nname=old\n");
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_TRUE(warned.empty());
}

TEST_F(ConfReread, AKeyThatWasNotThere)
{
	start("");
	write("broker.properties", "name=fresh\n");
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_EQ(warned.size(), 1u);
	EXPECT_EQ(fill(fresh).name, nullptr);
	EXPECT_EQ(gk_conf_text(fresh, chosen("role-x"), "name"), nullptr);
}

TEST_F(ConfReread, WrongValuesAreRefused)
{
	start("");
	write("broker.properties", "\nlevel=many\n");
	EXPECT_EQ(reread(), -EINVAL);
	EXPECT_EQ(fresh, nullptr);
	EXPECT_EQ(why(), "broker.properties:2: level = \"many\" is not a number; expected a whole "
			 "number");
	write("broker.properties", "level=\\u12\n");
	EXPECT_EQ(reread(), -EINVAL);
	std::filesystem::remove(folder / "broker.properties");
	EXPECT_EQ(reread(), -ENOENT);
	EXPECT_EQ(fill(conf).level, 1);
}

TEST_F(ConfReread, OtherPluginsNeedARestart)
{
	start("");
	fragment("b.conf", "\n[plugin storage-y]\n");
	EXPECT_EQ(reread(), -EINVAL);
	EXPECT_EQ(why(), "needs a restart: storage-y of role broker (conf.d/b.conf:2) was added");
	fragment("b.conf", "[plugin role-x]\nenabled = no\n");
	EXPECT_EQ(reread(), -EINVAL);
	EXPECT_EQ(why(), "needs a restart: role-x of role broker (conf.d/a.conf:3) was removed");
	fragment("b.conf", "[defaults broker]\naclEnable = true\n");
	EXPECT_EQ(reread(), -ENOTSUP);
}

TEST_F(ConfReread, NumbersOfInstancesStay)
{
	broker("");
	fragment("a.conf", "[plugin a]\n[plugin b]\n[plugin c]\n");
	ASSERT_EQ(choose(), 0);
	fragment("a.conf", "[plugin c]\n[plugin a]\n[plugin b]\n");
	ASSERT_EQ(reread(), 0) << why();
	for (unsigned i = 0; i < 3; i++)
		EXPECT_STREQ(gk_conf_chosen(fresh, i)->name, gk_conf_chosen(conf, i)->name);
}

TEST_F(ConfReread, TheCommandLineStays)
{
	broker("level=2\n");
	gk_conf_override(conf, "broker", "level", "1", "-l");
	fragment("a.conf", "[plugin role-x]\n");
	ASSERT_EQ(choose(), 0);
	EXPECT_EQ(fill(conf).level, 1);
	write("broker.properties", "level=3\n");
	ASSERT_EQ(reread(), 0) << why();
	EXPECT_EQ(fill(fresh).level, 1);
	EXPECT_FALSE(changed(chosen("role-x")));
}

} // namespace
