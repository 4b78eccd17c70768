/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state.h"

#include <gantry/plugin.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../../../tests/support/bare_instance.h"

namespace
{

/* A table that is one text. */
struct Text {
	std::mutex lock;
	std::string text;
	std::atomic<int> encoded{0};
	bool refuse = false;
	std::function<void()> during; /* an encode */
};

int Encode(void *user, char **ret, size_t *ret_size)
{
	auto *table = static_cast<Text *>(user);

	table->encoded++;
	if (table->during)
		table->during();
	std::lock_guard<std::mutex> guard(table->lock);
	*ret = strdup(table->text.c_str());
	*ret_size = table->text.size();
	return 0;
}

int Decode(void *user, const char *text, size_t size, char *why, size_t why_size)
{
	std::string read(text, size);

	if (read == "bad") {
		snprintf(why, why_size, "it is bad");
		return -EINVAL;
	}
	static_cast<Text *>(user)->text = read;
	return 0;
}

class State : public ::testing::Test
{
      protected:
	State() : kernel_({{"role-test", bare::Entry}}, "")
	{
	}
	~State() override
	{
		Close();
	}
	void Open(const std::string &name)
	{
		std::string path = folder_.path() + "/" + name;
		struct state_spec spec = {bare::instance, path.c_str(), Encode, Decode, &table_};

		ASSERT_EQ(state_new(&spec, &state_), 0);
	}
	void Set(const std::string &text)
	{
		{
			std::lock_guard<std::mutex> guard(table_.lock);
			table_.text = text;
		}
		state_changed(state_);
	}
	int Close()
	{
		int result = 0;

		if (state_)
			result = kernel_.Do(
				[&](struct gantry_op *op) { return state_close(state_, op); });
		state_free(state_);
		state_ = nullptr;
		return result;
	}

	TempFolder folder_;
	TestKernel kernel_;
	Text table_;
	struct state *state_ = nullptr;
};

TEST_F(State, WritesWhatChangedAndKeepsTheFileBefore)
{
	Open("a/b/file.json");
	Set("one");
	EXPECT_TRUE(kernel_.Until([&] { return folder_.Read("a/b/file.json") == "one"; }));
	EXPECT_FALSE(folder_.Has("a/b/file.json.bak"));
	Set("two");
	EXPECT_EQ(Close(), 0);
	EXPECT_EQ(folder_.Read("a/b/file.json"), "two");
	EXPECT_EQ(folder_.Read("a/b/file.json.bak"), "one");
	EXPECT_FALSE(folder_.Has("a/b/file.json.tmp"));
}

TEST_F(State, ManyChangesAreFewWritesAndTheLastOneWins)
{
	Open("file");
	for (int i = 0; i < 1000; i++)
		Set(std::to_string(i));
	EXPECT_EQ(Close(), 0);
	EXPECT_EQ(folder_.Read("file"), "999");
	EXPECT_LT(table_.encoded, 1000);
}

TEST_F(State, WhatIsSettledIsInTheFile)
{
	Open("file");
	for (int i = 0; i < 20; i++) {
		Set(std::to_string(i));
		ASSERT_EQ(state_settle(state_), 0);
		ASSERT_EQ(folder_.Read("file"), std::to_string(i));
	}
	int encoded = table_.encoded;
	EXPECT_EQ(state_settle(state_), 0);
	EXPECT_EQ(Close(), 0);
	EXPECT_EQ(table_.encoded, encoded) << "nothing was left to write";
}

TEST_F(State, OneWriteServesAllWhoComeDuringAnother)
{
	const int kThreads = 8;
	std::atomic<int> changed{0};
	std::vector<std::thread> threads;

	Open("file");
	table_.during = [&] {
		while (changed < kThreads)
			std::this_thread::yield();
	};
	Set("first");
	ASSERT_TRUE(kernel_.Until([&] { return table_.encoded == 1; }));
	for (int i = 0; i < kThreads; i++)
		threads.emplace_back([&] {
			Set("last");
			changed++;
			EXPECT_EQ(state_settle(state_), 0);
			EXPECT_EQ(folder_.Read("file"), "last");
		});
	for (std::thread &thread : threads)
		thread.join();
	EXPECT_EQ(Close(), 0);
	EXPECT_EQ(table_.encoded, 2);
}

TEST_F(State, WithoutAChangeNothingIsWritten)
{
	Open("file");
	EXPECT_EQ(Close(), 0);
	EXPECT_FALSE(folder_.Has("file"));
}

TEST_F(State, ReadsTheFile)
{
	folder_.Write("file", "text");
	Open("file");
	EXPECT_EQ(state_read(state_), 1);
	EXPECT_EQ(table_.text, "text");
}

TEST_F(State, NoFileIsNoError)
{
	Open("file");
	EXPECT_EQ(state_read(state_), 0);
}

TEST_F(State, FallsBackToTheFileBefore)
{
	folder_.Write("file", "bad");
	folder_.Write("file.bak", "good");
	Open("file");
	EXPECT_EQ(state_read(state_), 1);
	EXPECT_EQ(table_.text, "good");
	folder_.Write("file", "");
	table_.text = "";
	EXPECT_EQ(state_read(state_), 1);
	EXPECT_EQ(table_.text, "good");
}

TEST_F(State, WhatCannotBeUnderstoodIsAnErrorAndStays)
{
	folder_.Write("file", "bad");
	Open("file");
	EXPECT_EQ(state_read(state_), -EUCLEAN);
	folder_.Write("file.bak", "bad");
	EXPECT_EQ(state_read(state_), -EUCLEAN);
	EXPECT_EQ(folder_.Read("file"), "bad");
}

TEST_F(State, AFailedWriteIsReportedAndLeavesTheOldFile)
{
	folder_.Write("file", "old");
	ASSERT_EQ(mkdir((folder_.path() + "/file.tmp").c_str(), 0755), 0);
	Open("file");
	Set("new");
	EXPECT_NE(Close(), 0);
	EXPECT_EQ(folder_.Read("file"), "old");
}

} // namespace
