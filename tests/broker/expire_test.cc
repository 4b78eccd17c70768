/* SPDX-License-Identifier: Apache-2.0 */
/* Old files: when they go, what goes with them, and how a full disk is felt. Clock and disk are the
 * test's; files, log, queues and consumers are real. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gantry/bus.h>

#include "broker.h"
#include "requests/call.h"
#include "outside.h"
#include "session.h"
#include "store/expire.h"
#include "store/store.h"

namespace
{

namespace fs = std::filesystem;

const uint64_t kSegment = 65536;
const char *const kKeys = "mappedFileSizeCommitLog = 65536\nmappedFileSizeConsumeQueue = 400\n"
			  "deleteWhen = 04\nfileReservedTime = 72\n";

/* Messages of about 1 KiB, until the log has so many segments more. */
void fill(World &world, int segments, int queues = 1)
{
	Session session(world);
	uint64_t first, begin, end;
	int count = 0;

	store_bounds(world.messages(), &first, &begin);
	do {
		Sent message;

		message.body = std::string(1000, 'x');
		message.queue = count++ % queues;
		message.default_queues = 8;
		Sent sent = session.send(message);
		ASSERT_EQ(sent.code, GANTRY_SUCCESS) << sent.remark;
		store_bounds(world.messages(), &first, &end);
	} while (end / kSegment < begin / kSegment + static_cast<uint64_t>(segments));
	world.dispatched();
}

uint64_t log_first(World &world)
{
	uint64_t first, end;

	store_bounds(world.messages(), &first, &end);
	return first;
}

Pulled pull(World &world, int64_t offset, int32_t queue = 0)
{
	Session session(world);
	Pulled asked;

	asked.queue = queue;
	asked.offset = offset;
	return session.pull(asked);
}

/* A consumer begins at 0 and goes on from where it is sent; returns how many messages it gets,
 * which are all that the queue claims to have. */
int64_t consume(World &world, int32_t queue = 0)
{
	Pulled got = pull(world, 0, queue);
	int64_t count = 0, at = 0;

	if (got.code == GANTRY_PULL_OFFSET_MOVED) {
		EXPECT_EQ(got.next, got.min);
		at = got.next;
		got = pull(world, at, queue);
	}
	EXPECT_EQ(at, got.min);
	while (got.code == GANTRY_SUCCESS) {
		EXPECT_EQ(bodies(got.bytes).size(), static_cast<size_t>(got.next - at));
		count += got.next - at;
		at = got.next;
		got = pull(world, at, queue);
	}
	EXPECT_EQ(got.code, GANTRY_PULL_NOT_FOUND) << got.remark;
	EXPECT_EQ(at, got.max);
	EXPECT_EQ(count, got.max - got.min);
	return count;
}

class Expire : public testing::Test
{
      protected:
	void open(const std::string &keys = "")
	{
		world = std::make_unique<World>(folder.path(), kKeys + keys);
		outside.give(*world);
	}
	std::vector<std::string> log_files()
	{
		return names(folder / "commitlog");
	}
	Folder folder;
	Outside outside;
	std::unique_ptr<World> world;
};

TEST_F(Expire, AtTheHourWhenOldEnough)
{
	open();
	fill(*world, 5);
	outside.set(10, 5);
	EXPECT_EQ(look(*world), 0) << "it is not the hour";
	outside.set(1, 4);
	EXPECT_EQ(look(*world), 0) << "nothing is 72 hours old";
	EXPECT_EQ(log_first(*world), 0u);
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 5) << "the last one stays, whatever its age";
	EXPECT_EQ(log_first(*world), 5 * kSegment);
	EXPECT_EQ(log_files().front(), "00000000000000327680");
	EXPECT_EQ(look(*world), 0);
	EXPECT_GT(consume(*world), 0);
	fill(*world, 1);
	EXPECT_GT(consume(*world), 40);
}

TEST_F(Expire, NoMoreThanABatch)
{
	open("deleteFileBatchMax = 2\n");
	fill(*world, 5);
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 2);
	EXPECT_EQ(look(*world), 2);
	EXPECT_EQ(look(*world), 1);
}

TEST_F(Expire, TheFirstYoungFileEndsARound)
{
	open();
	fill(*world, 5);
	/* the second and the third look old, the first does not */
	struct timespec old[2] = {{1000000, 0}, {1000000, 0}};
	std::vector<std::string> files = log_files();

	for (int i : {1, 2})
		utimensat(AT_FDCWD, (folder / ("commitlog/" + files[i])).c_str(), old, 0);
	outside.set(1, 4);
	EXPECT_EQ(look(*world), 0);
	utimensat(AT_FDCWD, (folder / ("commitlog/" + files[0])).c_str(), old, 0);
	EXPECT_EQ(look(*world), 3);
}

TEST_F(Expire, AskedForByAnAdministrator)
{
	open("deleteFileBatchMax = 1\n");
	fill(*world, 25);
	outside.set(10, 5);
	EXPECT_EQ(look(*world), 0);
	gantry_call call = {};
	call.code = 329;
	call.ret_code = -1;
	EXPECT_EQ(call_run(world->role(), &call, nullptr), 0);
	EXPECT_EQ(call.ret_code, GANTRY_SUCCESS);
	/* a round of the broker's own begins at once; the rest is done here */
	ASSERT_TRUE(world->until([&] { return log_first(*world) >= kSegment; }));
	for (int i = 1; i < 20; i++)
		EXPECT_EQ(look(*world), 1) << i;
	EXPECT_EQ(look(*world), 0) << "20 rounds";
}

/* The broker's own rounds: pause after pause, until nothing is left. */
TEST_F(Expire, ByItself)
{
	open("cleanResourceInterval = 50\ndeleteCommitLogFilesInterval = 5\n"
	     "deleteConsumeQueueFilesInterval = 5\n");
	fill(*world, 5, 2);
	for (int32_t id : {0, 1})
		written(*world, "TopicTest", id);
	ASSERT_GT(names(folder / "consumequeue/TopicTest/1").size(), 3u);
	outside.set(10, 4);
	expiry_ask(store_expiry(world->messages()));
	EXPECT_TRUE(world->until([&] {
		return log_first(*world) == 5 * kSegment &&
		       names(folder / "consumequeue/TopicTest/0").size() <= 2 &&
		       names(folder / "consumequeue/TopicTest/1").size() <= 2;
	}));
}

TEST_F(Expire, AFullDiskRemovesFirstWhatIsOldThenAnything)
{
	open();
	fill(*world, 5);
	outside.set(0, 5);
	outside.log = 75;
	EXPECT_EQ(look(*world), 0);
	outside.log = 85;
	EXPECT_EQ(look(*world), 0) << "at any hour, but nothing is old enough";
	outside.set(4, 5);
	outside.queues = 76;
	outside.log = 10;
	EXPECT_EQ(look(*world), 5);
	fill(*world, 3);
	outside.set(0, 5);
	outside.log = 86;
	EXPECT_EQ(look(*world), 3) << "whatever their age";
	EXPECT_GT(consume(*world), 0);
}

TEST_F(Expire, NotByForceIfThatIsOff)
{
	open("cleanFileForciblyEnable = false\n");
	fill(*world, 3);
	outside.set(0, 5);
	outside.log = 99;
	EXPECT_EQ(look(*world), 0);
	outside.set(10, 5);
	EXPECT_EQ(look(*world), 3);
}

/* What the bus says of the disk. */
struct Heard {
	explicit Heard(World &world)
	{
		struct gantry_subscribe_spec spec = {};

		spec.size = sizeof(spec);
		spec.event = [](const struct gantry_event *event, void *user) -> int {
			auto *disk = static_cast<const gantry_disk_event *>(event->payload);
			static_cast<Heard *>(user)->levels.push_back(disk->level);
			EXPECT_STREQ(disk->broker, "broker-a");
			return 0;
		};
		spec.user = this;
		EXPECT_EQ(gantry_subscribe(world.inst(), GANTRY_TOPIC_DISK, 1, &spec, &mine), 0);
	}
	~Heard()
	{
		gantry_unsubscribe(mine);
	}
	std::vector<uint32_t> levels; /* written while the test waits */
	struct gantry_subscription *mine = nullptr;
};

TEST_F(Expire, ANewStoreIsNotTakenForAFullDisk)
{
	open();
	Heard heard(*world);

	outside.set(0, 5);
	outside.queues = -1; /* as statvfs answers for a folder that is not there */
	look(*world);
	EXPECT_FALSE(std::filesystem::exists(folder / "consumequeue"));
	EXPECT_TRUE(heard.levels.empty());
}

TEST_F(Expire, ANearlyFullDiskRefusesSends)
{
	open();
	fill(*world, 2);
	Heard heard(*world);
	Session session(*world);

	std::filesystem::create_directories(folder / "consumequeue"); /* not written yet */
	outside.set(0, 5);
	outside.log = 90;
	look(*world);
	EXPECT_EQ(session.send(Sent()).code, GANTRY_SUCCESS);
	outside.log = 91;
	look(*world);
	Sent refused = session.send(Sent());
	EXPECT_EQ(refused.code, GANTRY_SERVICE_NOT_AVAILABLE);
	EXPECT_EQ(refused.remark.rfind("service not available now. It may be caused by one of the "
				       "following reasons: the broker's disk is full [CL:  0.91 "
				       "CQ:  0.10 INDEX:  0.91], messages are put to ",
				       0),
		  0u)
		<< refused.remark;
	EXPECT_GT(consume(*world), 0) << "reading goes on";
	outside.log = 87;
	look(*world);
	EXPECT_EQ(session.send(Sent()).code, GANTRY_SERVICE_NOT_AVAILABLE)
		<< "it recovers below the ratio of forced cleaning";
	outside.log = 85;
	outside.queues = 91;
	look(*world);
	EXPECT_EQ(session.send(Sent()).code, GANTRY_SERVICE_NOT_AVAILABLE);
	outside.queues = 10;
	look(*world);
	EXPECT_EQ(session.send(Sent()).code, GANTRY_SUCCESS);
	outside.log = 70;
	look(*world);
	EXPECT_EQ(heard.levels, (std::vector<uint32_t>{GANTRY_DISK_FILLING, GANTRY_DISK_FULL,
						       GANTRY_DISK_FILLING, GANTRY_DISK_OK}));
}

TEST_F(Expire, WhatIsReadStaysReadable)
{
	open();
	fill(*world, 3);
	struct gantry_slice slice = {};
	Op op(*world, world->control());
	uint64_t size = 4000;
	int status;

	while ((status = store_read(world->messages(), 0, size, &slice, op.get())) > 0)
		op.wait();
	ASSERT_EQ(status, 0);
	std::string before(reinterpret_cast<const char *>(slice.bytes), slice.size);
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 3);
	EXPECT_NE(log_files().front(), "00000000000000000000") << "its name is gone at once";
	EXPECT_EQ(std::string(reinterpret_cast<const char *>(slice.bytes), slice.size), before);
	gantry_slice_release(&slice);
}

/* A file that cannot be removed, even by root; false: not on this file system. */
bool freeze(const std::string &path, bool on)
{
	int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC), flags = 0;
	bool done = fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;

	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

TEST_F(Expire, AFileThatStaysIsTriedAgainLater)
{
	open();
	fill(*world, 3);
	std::string file = folder / "commitlog/00000000000000000000";

	if (!freeze(file, true))
		GTEST_SKIP() << "no file can be made immutable here";
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 0);
	EXPECT_EQ(log_first(*world), 0u) << "no gap is left behind";
	EXPECT_GT(consume(*world), 0);
	freeze(file, false);
	outside.now_ms += 119000;
	EXPECT_EQ(look(*world), 0) << "redeleteHangedFileInterval";
	outside.now_ms += 2000;
	EXPECT_EQ(look(*world), 3);
}

TEST_F(Expire, QueuesFollowTheLog)
{
	open();
	fill(*world, 10, 4);
	for (int32_t id = 0; id < 4; id++) { /* what is not written yet has no files to remove */
		written(*world, "TopicTest", id);
		ASSERT_GT(names(folder / ("consumequeue/TopicTest/" + std::to_string(id))).size(),
			  5u);
	}
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 10);
	for (int32_t id = 0; id < 4; id++) {
		/* 20 entries a file; what is left of the log has 15 or fewer of this queue */
		EXPECT_LE(names(folder / ("consumequeue/TopicTest/" + std::to_string(id))).size(),
			  2u);
		Pulled old = pull(*world, 3, id);
		EXPECT_EQ(old.code, GANTRY_PULL_OFFSET_MOVED);
		EXPECT_GT(old.min, 100);
		EXPECT_EQ(old.next, old.min);
		EXPECT_LT(consume(*world, id), 17);
	}
	/* and again from what is on the disk */
	world.reset();
	open();
	EXPECT_LT(consume(*world, 2), 17);
}

TEST_F(Expire, AQueueWhoseMessagesAreAllGoneKeepsItsPlace)
{
	open();
	fill(*world, 3, 2);
	int64_t max = pull(*world, 0, 1).max;

	fill(*world, 3, 1);
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 6);
	Pulled empty = pull(*world, 0, 1);
	EXPECT_EQ(empty.min, max);
	EXPECT_EQ(empty.max, max);
	EXPECT_EQ(empty.code, GANTRY_PULL_OFFSET_MOVED);
	EXPECT_EQ(empty.next, max);
	Session session(*world);
	Sent next;
	next.queue = 1;
	EXPECT_EQ(session.send(next).queue_offset, max);
}

/* Queues that nobody has used since the start lose their files, too, and are not opened for it. */
TEST_F(Expire, QueuesThatAreNotOpen)
{
	open();
	fill(*world, 10, 4);
	world.reset();
	open();
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 10);
	int closed = 0;
	for (int32_t id = 0; id < 4; id++) {
		struct queue *queue = store_queue_named(
			world->messages(), gantry_str{"TopicTest", strlen("TopicTest")}, id);

		closed += !queue_is_open(queue);
		EXPECT_LE(names(folder / ("consumequeue/TopicTest/" + std::to_string(id))).size(),
			  2u);
		EXPECT_LT(consume(*world, id), 17);
	}
	EXPECT_GE(closed, 2) << "recovery opens those of the last messages";
}

TEST_F(Expire, AfterAKillTheLogStillBeginsThere)
{
	open();
	fill(*world, 4);
	outside.set(10, 4);
	EXPECT_EQ(look(*world), 4);
	world.reset();
	fs::copy(folder / "checkpoint", folder / "abort"); /* as a killed broker leaves it */
	open();
	EXPECT_EQ(log_first(*world), 4 * kSegment);
	EXPECT_GT(consume(*world), 0);
}

} // namespace
