// SPDX-License-Identifier: Apache-2.0
// Fragments: sections, their order, and what is refused with file and line.
#include "conf/test.h"

#include <cerrno>

namespace
{

using ConfFragment = ConfTest;

TEST_F(ConfFragment, SectionsOfAllKinds)
{
	fragment("a.conf", "# head\n\n[kernel]\nlogLevel = debug\n"
			   "[defaults broker]\nlistenPort = 10911\n"
			   "[plugin frontend-remoting]\n"
			   "[plugin frontend-remoting:vip.2_X]  \nlistenPort: 10909\n");
	EXPECT_EQ(read_fragments(), 0) << why();
	ASSERT_EQ(conf->sections->len, 2u);
	auto *vip = static_cast<gk_section *>(conf->sections->pdata[1]);
	EXPECT_STREQ(vip->plugin, "frontend-remoting");
	EXPECT_STREQ(vip->name, "frontend-remoting:vip.2_X");
	EXPECT_EQ(vip->line, 8u);
	EXPECT_STREQ(gk_table_get(vip->keys, "listenPort")->value, "10909");
	EXPECT_STREQ(gk_table_get(conf->kernel, "logLevel")->value, "debug");
	EXPECT_EQ(gk_table_get(conf->kernel, "logLevel")->line, 4u);
}

TEST_F(ConfFragment, WhatIsRefused)
{
	const struct {
		const char *text, *why;
	} rows[] = {
		{"a = b", ":1: a stands before the first [section]"},
		{"[kernel", ":1: section \"[kernel\": expected [kernel], [defaults ROLE], "
			    "[plugin NAME] or [plugin NAME:INSTANCE]"},
		{"[", ":1: section \"[\": expected"},
		{"[]", ":1: section \"[]\": expected"},
		{"\n[kernel] x", ":2: section \"[kernel] x\": expected"},
		{"[Kernel]", ":1: section"},
		{"[plugin]", ":1: section"},
		{"[plugin ]", ":1: section"},
		{"[plugin A]", ":1: section"},
		{"[plugin a:]", ":1: section"},
		{"[plugin a:b:c]", ":1: section"},
		{"[plugin ../a]", ":1: section"},
		{"[plugin a b]", ":1: section"},
		{"[defaults ]", ":1: section"},
		{"[kernel]\n= x", ":2: a value without a key"},
		{"[kernel]\na = \\u12", ":2: a \\u without four hexadecimal digits"},
		{"[plugin a]\nwhen = role",
		 ":2: when = \"role\": expected KEY=V1|V2 or KEY!=V1|V2"},
		{"[plugin a]\nwhen =", ":2: when = \"\": expected"},
		{"[plugin a]\nwhen = =x", ":2: when = \"=x\": expected"},
		{"[plugin a]\nwhen = !=x", ":2: when = \"!=x\": expected"},
		{"[plugin a]\nwhen = a=x # why",
		 ":2: when = \"a=x # why\": a comment stands on a line of its own"},
		{"[plugin a]\nserves = a!=x", ":2: serves = \"a!=x\": expected KEY=V1|V2"},
		{"[plugin a]\nenabled = maybe", ":2: enabled = \"maybe\": expected yes or no"},
	};

	for (auto &row : rows) {
		gk_conf *one = gk_conf_new();

		fragment("a.conf", row.text);
		EXPECT_EQ(gk_conf_read_directory(one, (folder / "conf.d").c_str(), &error), -EINVAL)
			<< row.text;
		EXPECT_EQ(why().rfind("conf.d/a.conf" + std::string(row.why), 0), 0u)
			<< row.text << ": " << why();
		gk_conf_free(one);
	}
}

TEST_F(ConfFragment, OnlyConfFilesInOrderOfName)
{
	fragment("20-b.conf", "[kernel]\nlogLevel = b\n");
	fragment("10-a.conf", "[kernel]\nlogLevel = a\nlogFormat = text\n");
	fragment("30.conf.bak", "[broken");
	fragment(".hidden.conf", "[broken");
	fragment("README", "[broken");
	EXPECT_EQ(read_fragments(), 0) << why();
	EXPECT_STREQ(gk_table_get(conf->kernel, "logLevel")->value, "b");
	EXPECT_EQ(gk_table_get(conf->kernel, "logLevel")->earlier,
		  nullptr); // another file: no mistake
	EXPECT_STREQ(gk_table_get(conf->kernel, "logFormat")->value, "text");
}

TEST_F(ConfFragment, NoDirectory)
{
	EXPECT_EQ(gk_conf_read_directory(conf, (folder / "nowhere").c_str(), &error), -ENOENT);
	EXPECT_NE(why().find("nowhere"), std::string::npos);
}

TEST_F(ConfFragment, AFolderIsNoFragment)
{
	std::filesystem::create_directories(folder / "conf.d/x.conf");
	EXPECT_EQ(read_fragments(), -EISDIR);
	EXPECT_EQ(why(), "conf.d/x.conf: cannot be read: Is a directory");
}

TEST_F(ConfFragment, ALaterFileIsStronger)
{
	fragment("a.conf", "[plugin x]\nwhen = role=broker\nwhen = a=1\nkey = one\nother = 1\n"
			   "serves = aclEnable=true\n");
	fragment("b.conf", "[plugin x]\nwhen = role=namesrv\nkey = two\nenabled = no\n");
	EXPECT_EQ(read_fragments(), 0) << why();
	ASSERT_EQ(conf->sections->len, 1u);
	auto *section = static_cast<gk_section *>(conf->sections->pdata[0]);
	EXPECT_EQ(section->when->len, 1u);
	EXPECT_EQ(section->serves->len, 1u);
	EXPECT_STREQ(static_cast<gk_condition *>(section->when->pdata[0])->values[0], "namesrv");
	EXPECT_STREQ(gk_table_get(section->keys, "key")->value, "two");
	EXPECT_STREQ(gk_table_get(section->keys, "other")->value, "1");
	EXPECT_NE(section->off, nullptr);

	fragment("c.conf", "[plugin x]\nenabled = yes\n");
	gk_conf_free(conf);
	conf = gk_conf_new();
	EXPECT_EQ(read_fragments(), 0) << why();
	EXPECT_EQ(static_cast<gk_section *>(conf->sections->pdata[0])->off, nullptr);
}

TEST_F(ConfFragment, APropertyFileHasItsOwnErrors)
{
	const char *name = broker("a=1\nb=\\uzz\n");

	EXPECT_STREQ(name, "broker");
	EXPECT_EQ(code, -EINVAL);
	EXPECT_EQ(why(), "broker.properties:2: a \\u without four hexadecimal digits");
	EXPECT_EQ(gk_conf_read_properties(conf, name, (folder / "none").c_str(), &error), -EEXIST);
	EXPECT_EQ(gk_conf_read_properties(conf, "nobody", "x", &error), -EINVAL);
	gk_conf_add_role(conf, "namesrv", &name);
	EXPECT_EQ(gk_conf_read_properties(conf, name, (folder / "none").c_str(), &error), -ENOENT);
	EXPECT_EQ(why(), "none: cannot be read: No such file or directory");
}

} // namespace
