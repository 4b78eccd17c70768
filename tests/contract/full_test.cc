/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full: refused with a code, never a signal, reading goes on, and so does writing
 * when there is room again. On a small tmpfs in a mount namespace of its own. */
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "client.h"
#include "log_fixture.h"

namespace fs = std::filesystem;

static constexpr uint64_t MIB = 1024 * 1024;

static void write_file(const char *path, const std::string &text)
{
	std::ofstream(path) << text;
}

/* Root may mount in a namespace of its own; others where user namespaces are allowed. */
static bool enter_namespace()
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWNS) == 0)
		return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
	write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
	return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

class FullDisk : public testing::TestWithParam<Engine>
{
      protected:
	static void SetUpTestSuite()
	{
		allowed = enter_namespace(); /* before there are threads */
	}
	void SetUp() override
	{
		if (!allowed || mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=16m"))
			GTEST_SKIP() << "no file system may be mounted here";
		world = std::make_unique<World>(section(GetParam()) +
						"[plugin replication-async]\n"
						"haServeSlaves = false\n"
						"flushIntervalCommitLog = 20\n");
		shape.directories = {folder / "commitlog"};
		shape.segment_bytes = 64 * MIB;
	}
	void TearDown() override
	{
		world.reset();
		umount2(folder.path().c_str(), MNT_DETACH);
	}
	/* Takes all but so many bytes of what is free. */
	void fill(uint64_t leave)
	{
		int fd = open((folder / "ballast").c_str(), O_RDWR | O_CREAT, 0600);

		/* A worker may be preparing room meanwhile. */
		EXPECT_TRUE(world->until([&] {
			uint64_t free = fs::space(folder.path()).available;

			return free <= leave ||
			       posix_fallocate(fd, 0, static_cast<off_t>(free - leave)) == 0;
		}));
		close(fd);
	}
	void empty()
	{
		fs::remove(folder / "ballast");
	}

	static bool allowed;
	Folder folder;
	std::unique_ptr<World> world;
	Shape shape;
};
bool FullDisk::allowed;
OVER_ENGINES(FullDisk, file_engines);

TEST_P(FullDisk, RefusesReadsOnAndRecovers)
{
	Log log(*world, GetParam());
	int rc = 0;

	ASSERT_EQ(log.open(shape), 0);
	fill(3 * MIB);
	while (rc == 0 && log.end() < 64 * MIB)
		rc = log.write(pattern(log.end(), 10000));
	EXPECT_EQ(rc, -ENOSPC);
	uint64_t end = log.end();
	EXPECT_GT(end, 2 * MIB) << "what was free has been used";
	for (int i = 0; i < 10; ++i)
		EXPECT_EQ(log.write(pattern(end, 10000)), -ENOSPC);
	EXPECT_EQ(log.sync(), 0);
	EXPECT_TRUE(log.all(0) == pattern(0, log.end()));
	empty();
	for (int i = 0; i < 100; ++i)
		ASSERT_EQ(log.write(pattern(log.end(), 10000)), 0);
	EXPECT_EQ(log.sync(), 0);
	EXPECT_TRUE(log.all(0) == pattern(0, log.end()));
}

TEST_P(FullDisk, AtASegmentsEndTheNextOneIsRefused)
{
	Log log(*world, GetParam());

	shape.segment_bytes = MIB;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, MIB)), 0);
	fill(0);
	int rc = 0;
	while (rc == 0 && log.end() < 12 * MIB)
		rc = log.write(pattern(log.end(), 10000));
	EXPECT_EQ(rc, -ENOSPC);
	EXPECT_TRUE(log.all(0) == pattern(0, log.end()));
	empty();
	for (int i = 0; i < 300; ++i)
		ASSERT_EQ(log.write(pattern(log.end(), 10000)), 0);
	EXPECT_TRUE(log.all(0) == pattern(0, log.end()));
}

/* A hole of a tmpfs takes room when it is first seen through a mapping. */
TEST_P(FullDisk, AHoleThatCannotBeSeenIsAnError)
{
	Log log(*world, GetParam());
	gantry_slice slice;
	gantry_window window;

	shape.segment_bytes = 8 * MIB;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.write(pattern(0, MIB)), 0);
	ASSERT_EQ(log.ops->window(log.log, 1, &window), 0);
	log.ops->advance(log.log, window.left);
	ASSERT_EQ(log.sync(), 0);
	log.close();
	ASSERT_EQ(log.open(shape), 0);
	uint64_t hole = 7 * MIB;
	fill(0);
	EXPECT_EQ(log.read(hole, 1000, &slice), -EIO);
	EXPECT_EQ(log.read(hole, 1000, &slice), -EIO);
	EXPECT_TRUE(log.text(0, MIB) == pattern(0, MIB)) << "the rest is read";
	empty();
	EXPECT_EQ(log.text(hole, 1000), std::string(1000, 0)) << "nothing is held against it";
}

TEST_P(FullDisk, TheDoorSaysSoAndOpensAgain)
{
	Client client(*world, "replication-async");
	std::string body(100000, 'b');
	Sent *sent;

	ASSERT_EQ(client.attach(folder / "commitlog", 64 * MIB), 0);
	ASSERT_EQ(client.recover(), 0);
	fill(3 * MIB);
	while ((sent = client.send({body}))->rc == 0 && sent->end < 64 * MIB)
		;
	EXPECT_EQ(sent->rc, -ENOSPC);
	EXPECT_EQ(sent->placed, 0u);
	EXPECT_EQ(client.wait(GANTRY_DURABLE, client.mark(GANTRY_APPENDED)), 0);
	EXPECT_EQ(client.scan(0), client.placed);
	empty();
	EXPECT_EQ(client.send({body})->rc, 0);
	EXPECT_EQ(client.scan(0), client.placed);
	client.detach();

	/* Starting on a full disk: what is there is served. */
	fill(0);
	Client again(*world, "replication-async");
	ASSERT_EQ(again.attach(folder / "commitlog", 64 * MIB), 0);
	ASSERT_EQ(again.recover(), 0);
	EXPECT_EQ(again.placed, client.placed);
	empty();
	EXPECT_EQ(again.send({body})->rc, 0);
}

TEST_P(FullDisk, ASmallLogAppendsAllOrNothing)
{
	Log log(*world, GetParam());
	std::string text = pattern(0, 300000), back(300000, 0);

	shape.flags = GANTRY_LOG_SMALL;
	shape.segment_bytes = 6000 * 20;
	ASSERT_EQ(log.open(shape), 0);
	ASSERT_EQ(log.ops->append(log.log, text.data(), 1000), 0);
	fill(8192);
	EXPECT_EQ(log.ops->append(log.log, text.data() + 1000, 299000), -ENOSPC);
	EXPECT_EQ(log.end(), 1000u);
	EXPECT_EQ(log.ops->copy(log.log, 0, back.data(), 300000), 1000);
	empty();
	EXPECT_EQ(log.ops->append(log.log, text.data() + 1000, 299000), 0);
	EXPECT_EQ(log.ops->copy(log.log, 0, back.data(), 300000), 300000);
	EXPECT_TRUE(back == text);
}

TEST_P(FullDisk, AnAreaReturnsTheError)
{
	auto *area_ops = world->ops<gantry_storage_ops>(GANTRY_STORAGE, GetParam().plugin)->area;
	std::string path = folder / "index/1", text(MIB, 'x');
	gantry_area *area;

	ASSERT_EQ(area_ops->open(world->inst(GetParam().plugin), path.c_str(), 64 * MIB, &area,
				 nullptr),
		  0);
	fill(0);
	EXPECT_EQ(area_ops->write(area, 10 * MIB, text.data(), MIB), -ENOSPC);
	empty();
	EXPECT_EQ(area_ops->write(area, 10 * MIB, text.data(), MIB), 0);
	EXPECT_EQ(area_ops->read(area, 10 * MIB, text.data(), MIB), 0);
	area_ops->close(area);
}
