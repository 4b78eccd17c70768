// SPDX-License-Identifier: Apache-2.0
// Property files rewritten for one machine, and a cluster's folder.
#include "cluster.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <unistd.h>

namespace
{

namespace fs = std::filesystem;

std::string value(const char *text, const char *key)
{
	char *found = properties_value(text, key);
	std::string copy = found ? found : "(none)";
	g_free(found);
	return copy;
}

std::string replaced(const char *text, std::initializer_list<const char *> pairs)
{
	std::vector<const char *> list(pairs);
	list.push_back(nullptr);
	char *made = properties_replace(text, list.data());
	std::string copy = made;
	g_free(made);
	return copy;
}

class Folder : public testing::Test
{
      protected:
	void SetUp() override
	{
		char name[] = "/tmp/gantry-cluster-XXXXXX";
		ASSERT_NE(mkdtemp(name), nullptr);
		path = name;
		layout = path / "layout";
		fs::create_directory(layout);
		write("namesrv", "listenPort=9876\n");
		write("broker-a", "brokerName = a\nbrokerRole=ASYNC_MASTER\nlistenPort=10911\n");
		write("broker-a-s", "brokerName:a\nbrokerId=1\nbrokerClusterName=c\n");
	}
	void TearDown() override
	{
		fs::remove_all(path);
	}
	void write(const char *node, const char *text)
	{
		std::ofstream(layout / (std::string(node) + ".properties")) << text;
	}
	std::string file(const char *node) const
	{
		std::ostringstream text;
		text << std::ifstream(path / "c" / node / "node.properties").rdbuf();
		return text.str();
	}
	struct cluster *set_up(char *const *settings = nullptr, int port = 20000)
	{
		return cluster_set_up((path / "c").c_str(), (layout.string() + "/").c_str(), port,
				      settings);
	}

	fs::path path, layout;
};

} // namespace

TEST(Properties, TheLastValueCounts)
{
	const char text[] = "# a=0\n a = 1 \nab=2\na:3\r\nb 4\nc\n";

	EXPECT_EQ(value(text, "a"), "3");
	EXPECT_EQ(value(text, "ab"), "2");
	EXPECT_EQ(value(text, "b"), "4");
	EXPECT_EQ(value(text, "c"), "");
	EXPECT_EQ(value(text, "d"), "(none)");
}

TEST(Properties, ReplacedLinesStayAsComments)
{
	std::string made = replaced("a=1\nA=2\n a = 3\nb=4\nc=5", {"a", "9", "c", nullptr});

	EXPECT_EQ(value(made.c_str(), "a"), "9");
	EXPECT_EQ(value(made.c_str(), "A"), "2");
	EXPECT_EQ(value(made.c_str(), "b"), "4");
	EXPECT_EQ(value(made.c_str(), "c"), "(none)");
	EXPECT_NE(made.find("# the layout: a=1\n"), std::string::npos);
	EXPECT_NE(made.find("# the layout: c=5\n"), std::string::npos);
}

TEST(Properties, OnlyLinesThatCountMayNotContinue)
{
	EXPECT_FALSE(properties_continue("a=1\n# text \\\n"));
	EXPECT_TRUE(properties_continue("a=1,\\\n  2\n"));
}

TEST_F(Folder, NodesGetPortsAndFoldersOfTheirOwn)
{
	char setting[] = "flushDiskType=SYNC_FLUSH", *settings[] = {setting, nullptr};
	struct cluster *made = set_up(settings), *read = nullptr;

	ASSERT_NE(made, nullptr);
	ASSERT_EQ(made->nodes->len, 3u);
	std::string slave = file("broker-a-s");
	EXPECT_EQ(value(file("namesrv").c_str(), "listenPort"), "20000");
	EXPECT_EQ(value(file("broker-a").c_str(), "listenPort"), "20012");
	EXPECT_EQ(value(slave.c_str(), "listenPort"), "20022");
	EXPECT_EQ(value(slave.c_str(), "namesrvAddr"), "127.0.0.1:20000");
	EXPECT_EQ(value(slave.c_str(), "flushDiskType"), "SYNC_FLUSH");
	EXPECT_EQ(value(slave.c_str(), "storePathRootDir"), path / "c/broker-a-s/store");
	EXPECT_EQ(value(file("namesrv").c_str(), "flushDiskType"), "(none)");
	ASSERT_EQ(cluster_load((path / "c").c_str(), true, &read), 0);
	ASSERT_EQ(read->nodes->len, 3u);
	EXPECT_EQ(read->base_port, 20000);
	EXPECT_TRUE(cluster_node_at(read, 0)->is_namesrv);
	EXPECT_STREQ(cluster_node_at(read, 2)->broker, "a");
	EXPECT_STREQ(cluster_node_at(read, 2)->cluster, "c");
	EXPECT_EQ(cluster_node_at(read, 2)->id, 1);
	EXPECT_STREQ(settings[0], "flushDiskType=SYNC_FLUSH");
	cluster_free(read);
	cluster_free(made);
}

TEST_F(Folder, ALayoutThatCannotBeIsRefused)
{
	write("broker-b", "brokerId=0\n");
	EXPECT_EQ(set_up(), nullptr) << "no brokerName";
	write("broker-b", "brokerName=b\nnamesrvAddr=x:1;\\\ny:2\n");
	EXPECT_EQ(set_up(), nullptr) << "a line that goes on";
	fs::remove(layout / "broker-b.properties");
	fs::remove(layout / "namesrv.properties");
	EXPECT_EQ(set_up(), nullptr) << "no name server";
}

TEST_F(Folder, ADamagedFileIsSaid)
{
	struct cluster *read = nullptr;

	EXPECT_EQ(cluster_load(path.c_str(), false, &read), 0);
	EXPECT_EQ(read, nullptr);
	EXPECT_EQ(cluster_load(path.c_str(), true, &read), CLI_FAILED);
	std::ofstream(path / "cluster.ini") << "[cluster]\nlayout=x\n[broker-a]\nport=99999\n";
	EXPECT_EQ(cluster_load(path.c_str(), false, &read), CLI_FAILED);
	std::ofstream(path / "cluster.ini") << "what is this";
	EXPECT_EQ(cluster_load(path.c_str(), false, &read), CLI_FAILED);
	EXPECT_EQ(read, nullptr);
}
