/* SPDX-License-Identifier: Apache-2.0 */
/* testdata/consumerOffset.json was written by a Java broker 5.5.0. */
#include "offsets/offsets.h"

#include <thread>

#include "offsets/compare.h"

#include "../../../tests/support/broker_fixture.h"

namespace
{

using control::Broker;

class Offsets : public Broker
{
      protected:
	int64_t Get(const char *group, const char *topic, int32_t queue)
	{
		return offsets_get(broker_->offsets, str_of(group), str_of(topic), queue);
	}
	int Commit(const char *group, const char *topic, int32_t queue, int64_t offset)
	{
		return offsets_commit(broker_->offsets, str_of(group), str_of(topic), queue,
				      offset);
	}
};

TEST_F(Offsets, WhatIsCommittedIsFoundForItsGroupTopicAndQueueOnly)
{
	EXPECT_EQ(Get("g", "T", 0), -1);
	EXPECT_EQ(Commit("g", "T", 3, 7), 0);
	EXPECT_EQ(Get("g", "T", 3), 7);
	EXPECT_EQ(Get("g", "T", 0), -1);
	EXPECT_EQ(Get("h", "T", 3), -1);
	EXPECT_EQ(Get("g", "U", 3), -1);
	EXPECT_EQ(Get("g", "T", -1), -1);
	EXPECT_EQ(Get("g", "T", 1 << 30), -1);
	EXPECT_EQ(Commit("g", "T", 3, 5), 0); /* a smaller one is taken too */
	EXPECT_EQ(Get("g", "T", 3), 5);
}

TEST_F(Offsets, PulledOffsetsAreOthers)
{
	EXPECT_EQ(offsets_commit_pull(broker_->offsets, str_of("g"), str_of("T"), 0, 9), 0);
	EXPECT_EQ(Get("g", "T", 0), -1);
	EXPECT_EQ(offsets_pulled(broker_->offsets, str_of("g"), str_of("T"), 0), 9);
}

TEST_F(Offsets, BadQueuesAndTooManyAreRefused)
{
	EXPECT_EQ(Commit("g", "T", -1, 7), -EINVAL);
	EXPECT_EQ(Commit("g", "T", 65536, 7), -EINVAL);
	conf_.maxOffsets = 16;
	EXPECT_EQ(Commit("g", "T", 15, 7), 0);
	EXPECT_EQ(Commit("g", "T", 16, 7), -ENOSPC);
	EXPECT_EQ(Commit("h", "T", 0, 7), -ENOSPC);
	EXPECT_EQ(Commit("g", "T", 15, 8), 0);
}

TEST_F(Offsets, AJavaBrokersFileIsRead)
{
	WriteConfig("consumerOffset.json", Sample("consumerOffset.json"));
	ASSERT_EQ(offsets_load(broker_->offsets), 0);
	EXPECT_EQ(Get("GroupA", "Orders", 0), 5);
	EXPECT_EQ(Get("GroupA", "Orders", 1), -1);
}

TEST_F(Offsets, FilesAreWrittenInJavasShapeAndReadBack)
{
	ASSERT_EQ(offsets_load(broker_->offsets), 0);
	Commit("g", "T", 0, 12);
	Commit("g", "T", 10, 9);
	offsets_commit_pull(broker_->offsets, str_of("h"), str_of("T"), 0, 9);
	Close();
	EXPECT_NE(ReadConfig("consumerOffset.json")
			  .find("\"offsetTable\":{\n\t\t\"T@g\":{\n\t\t\t0:12,\n\t\t\t10:9\n\t\t}"
				"\n\t}"),
		  std::string::npos)
		<< ReadConfig("consumerOffset.json");
	Open();
	ASSERT_EQ(offsets_load(broker_->offsets), 0);
	EXPECT_EQ(Get("g", "T", 0), 12);
	EXPECT_EQ(Get("g", "T", 10), 9);
}

TEST_F(Offsets, WithoutACommitNothingIsWritten)
{
	ASSERT_EQ(offsets_load(broker_->offsets), 0);
	Close();
	EXPECT_EQ(ReadConfig("consumerOffset.json"), "");
}

TEST_F(Offsets, TheyAreWrittenNowAndThen)
{
	conf_.flushConsumerOffsetInterval = 20;
	ASSERT_EQ(offsets_load(broker_->offsets), 0);
	ASSERT_EQ(offsets_serve(broker_->offsets), 0);
	Commit("g", "T", 0, 12);
	EXPECT_TRUE(kernel_.Until([&] {
		return ReadConfig("consumerOffset.json").find("0:12") != std::string::npos;
	}));
}

TEST_F(Offsets, BrokenFilesAreNotRead)
{
	for (const char *text :
	     {"{}", R"({"offsetTable":{"T":{0:1}}})", R"({"offsetTable":{"T@g":{"x":1}}})",
	      R"({"offsetTable":{"T@g":{0:99999999999999999999}}})"}) {
		WriteConfig("consumerOffset.json", text);
		EXPECT_EQ(offsets_load(broker_->offsets), -EUCLEAN) << text;
		Close();
		remove((folder_.path() + "/store/config/consumerOffset.json").c_str());
		Open();
	}
}

TEST_F(Offsets, TopicsAndGroupsAreForgotten)
{
	Commit("g", "T", 0, 1);
	Commit("g", "U", 0, 2);
	Commit("h", "T", 0, 3);
	offsets_forget_topic(broker_->offsets, str_of("T"));
	EXPECT_EQ(Get("g", "T", 0), -1);
	EXPECT_EQ(Get("h", "T", 0), -1);
	EXPECT_EQ(Get("g", "U", 0), 2);
	offsets_forget_group(broker_->offsets, str_of("g"));
	EXPECT_EQ(Get("g", "U", 0), -1);
}

TEST_F(Offsets, ACloneTakesThePlaceOfWhatWasThere)
{
	struct gantry_str g = str_of("g"), h = str_of("h"), topic = str_of("T");

	Commit("g", "T", 1, 7);
	Commit("h", "T", 0, 3);
	Commit("h", "T", 20, 3);
	EXPECT_EQ(offsets_clone(broker_->offsets, str_of("nobody"), h, topic), 0);
	EXPECT_EQ(Get("h", "T", 0), 3);
	EXPECT_EQ(offsets_clone(broker_->offsets, g, h, topic), 0);
	EXPECT_EQ(Get("h", "T", 0), -1);
	EXPECT_EQ(Get("h", "T", 1), 7);
	EXPECT_EQ(Get("h", "T", 20), -1);
}

TEST_F(Offsets, ManyThreadsCommitAtOnce)
{
	std::vector<std::thread> threads;

	for (int t = 0; t < 4; t++)
		threads.emplace_back([this, t] {
			std::string group = "g" + std::to_string(t);

			for (int i = 0; i < 2000; i++) {
				Commit(group.c_str(), "T", i % 50, i);
				Commit("shared", "T", i % 50, i);
				Get("shared", "T", i % 60);
			}
		});
	for (auto &thread : threads)
		thread.join();
	for (int t = 0; t < 4; t++)
		EXPECT_EQ(Get(("g" + std::to_string(t)).c_str(), "T", 49), 1999);
}

} // namespace
