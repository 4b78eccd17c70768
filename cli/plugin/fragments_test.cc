/* SPDX-License-Identifier: Apache-2.0 */
/* Reading conf.d, and switching fragments off and on. */
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "plugin.h"

class Fragments : public testing::Test
{
      protected:
	void SetUp() override
	{
		char pattern[] = "/tmp/gantry-fragments-XXXXXX";
		dir = mkdtemp(pattern);
	}
	void TearDown() override
	{
		fragments_free(fragments);
		GDir *d = g_dir_open(dir.c_str(), 0, nullptr);
		while (const char *name = g_dir_read_name(d))
			unlink((dir + "/" + name).c_str());
		g_dir_close(d);
		rmdir(dir.c_str());
	}
	void write(const std::string &name, const std::string &text)
	{
		std::ofstream(dir + "/" + name) << text;
	}
	bool is_there(const std::string &name)
	{
		return access((dir + "/" + name).c_str(), F_OK) == 0;
	}
	void read()
	{
		fragments = fragments_read(dir.c_str());
	}

	int gantry(std::vector<std::string> words)
	{
		static const cli_command *const table[] = {&cli_plugin_enable, &cli_plugin_disable,
							   nullptr};
		std::vector<char *> argv;
		words.insert(words.begin(), "gantry plugin");
		words.push_back("--conf-dir");
		words.push_back(dir);
		for (std::string &word : words)
			argv.push_back(word.data());
		argv.push_back(nullptr);
		testing::internal::CaptureStdout();
		testing::internal::CaptureStderr();
		int code = cli_dispatch("gantry plugin", "", table, (int)words.size(), argv.data());
		fflush(stdout);
		out = testing::internal::GetCapturedStdout();
		err = testing::internal::GetCapturedStderr();
		return code;
	}

	std::string dir, out, err;
	struct fragment *fragments = nullptr;
};

TEST_F(Fragments, AreReadInOrderWithTheirConditions)
{
	write("b.conf", "# comment\n[kernel]\nwhen = no=1\n[plugin frontend-remoting]\n"
			"when = role=broker\nwhen = a = b|c\nport = 1\n"
			"[plugin frontend-remoting:vip]\nenabled = no\n");
	write("a.conf.disabled", "[plugin storage-mmap]\n");
	write("README", "[plugin no-fragment]\n");
	read();
	ASSERT_NE(fragments, nullptr);
	EXPECT_STREQ(fragments[0].plugin, "storage-mmap");
	EXPECT_STREQ(fragments[0].file, "a.conf.disabled");
	EXPECT_FALSE(fragments[0].enabled);
	EXPECT_STREQ(fragments[1].plugin, "frontend-remoting");
	EXPECT_EQ(fragments[1].instance, nullptr);
	EXPECT_STREQ(fragments[1].when, "role=broker and a = b|c");
	EXPECT_TRUE(fragments[1].enabled);
	EXPECT_STREQ(fragments[2].instance, "vip");
	EXPECT_FALSE(fragments[2].enabled);
	EXPECT_EQ(fragments[2].when, nullptr);
	EXPECT_EQ(fragments[3].plugin, nullptr);
}

TEST_F(Fragments, OfAMissingDirectoryAreNone)
{
	EXPECT_EQ(fragments_read((dir + "/nowhere").c_str()), nullptr);
}

TEST_F(Fragments, AreSwitchedOffAndOnByName)
{
	write("filter-tag.conf", "[plugin filter-tag]\n");
	EXPECT_EQ(gantry({"disable", "filter-tag"}), CLI_DONE) << err;
	EXPECT_TRUE(is_there("filter-tag.conf.disabled"));
	EXPECT_FALSE(is_there("filter-tag.conf"));
	EXPECT_NE(out.find("restart"), std::string::npos) << out;
	EXPECT_EQ(gantry({"disable", "filter-tag"}), CLI_DONE);
	EXPECT_NE(out.find("was already disabled"), std::string::npos) << out;
	EXPECT_EQ(gantry({"enable", "filter-tag"}), CLI_DONE) << err;
	EXPECT_TRUE(is_there("filter-tag.conf"));
	EXPECT_FALSE(is_there("filter-tag.conf.disabled"));
}

TEST_F(Fragments, AreNeverOverwritten)
{
	write("filter-tag.conf", "[plugin filter-tag]\n");
	write("filter-tag.conf.disabled", "[plugin filter-tag]\nprecious = yes\n");
	EXPECT_EQ(gantry({"disable", "filter-tag"}), CLI_FAILED);
	EXPECT_TRUE(is_there("filter-tag.conf"));
	read();
	EXPECT_FALSE(fragments[1].enabled);
}

TEST_F(Fragments, OfOtherNamesAreNamed)
{
	write("mine.conf", "[plugin filter-tag]\n");
	EXPECT_EQ(gantry({"disable", "filter-tag"}), CLI_FAILED);
	EXPECT_NE(err.find("mine.conf"), std::string::npos) << err;
}

TEST_F(Fragments, LeaveTheDirectoryToItself)
{
	EXPECT_EQ(gantry({"disable", "../passwd"}), CLI_USAGE);
	EXPECT_EQ(gantry({"disable", "nothing"}), CLI_FAILED);
}
