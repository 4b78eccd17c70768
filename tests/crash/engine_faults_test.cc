/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's store over an engine whose nth call fails, for n = 1 and so on until none does: what
 * was acknowledged is there after the next start, in order; after a failed sync nothing more is
 * acknowledged; what fails for a while is used again. */
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <unistd.h>

#include "../broker/session.h"
#include "message/record.h"
#include "recorder.h"

namespace
{

struct Fault {
	recorder_call call;
	int status;
	uint32_t count; /* calls that fail, one after another */
	const char *name;
};

void PrintTo(const Fault &fault, std::ostream *to)
{
	*to << fault.name;
}

const char keys[] = "flushDiskType = SYNC_FLUSH\nmappedFileSizeCommitLog = 65536\n"
		    "mappedFileSizeConsumeQueue = 200\nmaxHashSlotNum = 50\nmaxIndexNum = 200\n";

class EngineFaults : public testing::TestWithParam<Fault>
{
      protected:
	static void SetUpTestSuite()
	{
		if (access("/dev/shm", W_OK) == 0)
			setenv("TMPDIR", "/dev/shm", 1);
	}
	void TearDown() override
	{
		recorder_fail(RECORDER_CALLS, 0, 0, 0);
	}

	static std::unique_ptr<World> start(const Folder &folder, const char *engine)
	{
		setenv("BROKER_ENGINE", engine, 1);
		auto world = std::make_unique<World>(folder / "store", keys, 1);
		unsetenv("BROKER_ENGINE");
		return world;
	}

	/* To a queue that is there, or, now and then, to a new one. */
	bool send(Session &session)
	{
		Sent message;
		int number = number_++;

		message.topic = "Topic" + std::to_string(number % 2);
		message.queue = number % 7 == 6 ? 2 + number / 7 % 2 : number / 2 % 2;
		message.body = std::to_string(number) + " " +
			       std::string(static_cast<size_t>(number) * 997 % 9000, 'b');
		message = session.send(message);
		if (message.code != GANTRY_SUCCESS)
			return false;
		acked_[{message.topic, message.queue}][message.queue_offset] = message.body;
		return true;
	}

	/* What was stored but not acknowledged may be there, too. */
	static void compare(const std::string &records, std::map<int64_t, std::string> *rest)
	{
		message_record record;

		for (size_t at = 0; at < records.size(); at += record.size) {
			ASSERT_EQ(message_record_read((const uint8_t *)&records[at],
						      records.size() - at, true, &record),
				  MESSAGE_WHOLE);
			auto found = rest->find(record.queue_offset);
			if (found == rest->end())
				continue;
			EXPECT_EQ(found->second, std::string(record.body.at, record.body.size));
			rest->erase(found);
		}
	}

	/* What is read is what was acknowledged at that offset; whole: all of it is. */
	void check(Session &session, bool whole)
	{
		for (auto &[queue, messages] : acked_) {
			std::map<int64_t, std::string> rest = messages;
			Pulled pull;

			pull.topic = queue.first;
			pull.queue = queue.second;
			for (;;) {
				Pulled got = session.pull(pull);
				compare(got.bytes, &rest);
				if (got.code != GANTRY_SUCCESS || got.next <= pull.offset)
					break;
				pull.offset = got.next;
			}
			EXPECT_TRUE(!whole || rest.empty())
				<< queue.first << "-" << queue.second << ": " << rest.size()
				<< " lost, the first at " << rest.begin()->first;
		}
	}

	/* Whether the fault was met. */
	bool run(const Fault &fault, uint32_t nth)
	{
		Folder folder;
		bool fences = fault.call == RECORDER_LOG_SYNC && fault.status == -EIO, met;
		unsigned after = 0;

		acked_.clear();
		number_ = 0;
		{
			auto world = start(folder, "storage-recorder");
			Session session(*world);

			for (int i = 0; i < 6; i++)
				EXPECT_TRUE(send(session));
			world->dispatched();
			recorder_fail(fault.call, nth, fault.count, fault.status);
			for (int i = 0; i < 24; i++) {
				bool before = recorder_failed() > 0;
				after += send(session) && before;
			}
			check(session, false);
		}
		met = recorder_failed() > 0;
		recorder_fail(RECORDER_CALLS, 0, 0, 0);
		EXPECT_TRUE(!fences || !met || after == 0) << "acknowledged after a failed sync";
		auto world = start(folder, "storage-mmap");
		Session session(*world);

		world->dispatched();
		check(session, true);
		for (int i = 0; i < 8; i++)
			EXPECT_TRUE(send(session));
		world->dispatched();
		check(session, true);
		return met;
	}

	std::map<std::pair<std::string, int32_t>, std::map<int64_t, std::string>> acked_;
	int number_ = 0;
};

TEST_P(EngineFaults, LoseNothing)
{
	const char *most = getenv("CRASH_FAULTS");
	uint32_t limit = most ? static_cast<uint32_t>(strtoul(most, nullptr, 10)) : 2;
	uint32_t nth = 1;

	for (; nth <= limit && !HasFailure(); nth++) {
		SCOPED_TRACE("call " + std::to_string(nth));
		if (!run(GetParam(), nth))
			break;
	}
	EXPECT_GT(nth, 1u) << "never met";
}

const Fault faults[] = {
	{RECORDER_LOG_OPEN, -EIO, 1, "OpenEIO"},
	{RECORDER_LOG_OPEN, -EMFILE, 1, "OpenEMFILE"},
	{RECORDER_LOG_OPEN, -ENOMEM, 1, "OpenENOMEM"},
	{RECORDER_LOG_WINDOW, -EIO, 1, "WindowEIO"},
	{RECORDER_LOG_WINDOW, -ENOSPC, 3, "WindowENOSPC"},
	{RECORDER_LOG_WINDOW, -EAGAIN, 3, "WindowEAGAIN"},
	{RECORDER_LOG_WINDOW, -ENOMEM, 1, "WindowENOMEM"},
	{RECORDER_LOG_APPEND, -EIO, 1, "AppendEIO"},
	{RECORDER_LOG_APPEND, -ENOSPC, 2, "AppendENOSPC"},
	{RECORDER_LOG_APPEND, -ENOMEM, 2, "AppendENOMEM"},
	{RECORDER_LOG_READ, -EIO, 1, "ReadEIO"},
	{RECORDER_LOG_SYNC, -EIO, 1, "SyncEIO"},
	{RECORDER_LOG_SYNC, -ENOMEM, 1, "SyncENOMEM"},
	{RECORDER_AREA_WRITE, -EIO, 1, "AreaWriteEIO"},
	{RECORDER_AREA_WRITE, -ENOSPC, 1, "AreaWriteENOSPC"},
	{RECORDER_AREA_SYNC, -EIO, 1, "AreaSyncEIO"},
};

INSTANTIATE_TEST_SUITE_P(All, EngineFaults, testing::ValuesIn(faults),
			 [](const testing::TestParamInfo<Fault> &info) {
				 return std::string(info.param.name);
			 });

} // namespace
