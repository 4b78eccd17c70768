/* SPDX-License-Identifier: Apache-2.0 */
/* A whole broker on a disk that is full: sends are refused, everything else goes on, nothing that
 * was acknowledged is lost, and when there is room again it goes on by itself. On small file
 * systems in a mount namespace of the test's own. */
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker.h"
#include "session.h"
#include "store/store.h"
#include "topics/topics.h"

namespace
{

namespace fs = std::filesystem;

const uint64_t kMib = 1024 * 1024;

/* Runs a program of the system's, and waits for it; whether it succeeded. */
bool run(const std::vector<std::string> &words)
{
	std::vector<char *> args;
	pid_t pid;
	int status = -1;
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *const environment[] = {path, nullptr};

	for (const std::string &word : words)
		args.push_back(const_cast<char *>(word.c_str()));
	args.push_back(nullptr);
	if (posix_spawnp(&pid, args[0], nullptr, nullptr, args.data(), environment))
		return false;
	return waitpid(pid, &status, 0) == pid && status == 0;
}

class FullBroker : public testing::TestWithParam<const char *>
{
      protected:
	static void SetUpTestSuite()
	{
		/* before there are threads */
		allowed = unshare(CLONE_NEWNS) == 0 &&
			  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
	}
	bool mount_it()
	{
		std::string image = outer / "image";

		fs::create_directory(root());
		if (std::string(GetParam()) == "tmpfs")
			return mount("tmpfs", root().c_str(), "tmpfs", 0, "size=24m") == 0;
		int fd = open(image.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		bool made = fd >= 0 && ftruncate(fd, 32 * (off_t)kMib) == 0;
		close(fd);
		return made && run({"mkfs.ext4", "-q", "-m", "0", image}) &&
		       run({"mount", "-o", "loop", image, root()});
	}
	void SetUp() override
	{
		mounted = allowed && mount_it();
		if (!mounted)
			GTEST_SKIP() << "no " << GetParam() << " may be mounted here";
		open_world();
	}
	void TearDown() override
	{
		world.reset();
		if (mounted)
			umount2(root().c_str(), MNT_DETACH);
	}
	void open_world()
	{
		/* removing files by force would be another way to make room */
		world = std::make_unique<World>(root(), "mappedFileSizeCommitLog = 262144\n"
							"mappedFileSizeConsumeQueue = 8000\n"
							"cleanFileForciblyEnable = false\n");
	}
	std::string root() const
	{
		return outer / "store";
	}
	/* Takes all of the room, also what others give back meanwhile. */
	void fill()
	{
		static const char block[4096] = {};
		int fd = open((root() + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);

		while (write(fd, block, sizeof(block)) > 0)
			;
		close(fd);
	}
	void empty()
	{
		fs::remove(root() + "/ballast");
	}
	/* The answer's code. */
	int32_t send(const std::string &topic, int32_t queue)
	{
		Session session(*world);
		Sent message;

		message.topic = topic;
		message.queue = queue;
		message.body = std::to_string(count++) + std::string(500, 'x');
		Sent sent = session.send(message);
		if (sent.code == GANTRY_SUCCESS)
			kept[{topic, queue}].push_back(message.body);
		return sent.code;
	}
	void send_some(int messages)
	{
		for (int i = 0; i < messages; i++)
			ASSERT_EQ(send("Topic" + std::to_string(i % 3), i % 4), GANTRY_SUCCESS);
	}
	/* Every queue has what was acknowledged, in order, perhaps with others between. */
	void expect_all()
	{
		for (const auto &[where, texts] : kept) {
			Session session(*world);
			Pulled asked;
			size_t found = 0;

			asked.topic = where.first;
			asked.queue = where.second;
			asked.offset = 0;
			for (Pulled got = session.pull(asked); got.code == GANTRY_SUCCESS;
			     got = session.pull(asked)) {
				for (const std::string &body : bodies(got.bytes))
					found += found < texts.size() && body == texts[found];
				asked.offset = got.next;
			}
			EXPECT_EQ(found, texts.size()) << where.first << "-" << where.second;
		}
	}
	bool is_written(const std::string &file, const std::string &text)
	{
		std::ifstream in(root() + "/config/" + file);

		return std::string(std::istreambuf_iterator<char>(in), {}).find(text) !=
		       std::string::npos;
	}

	static bool allowed;
	bool mounted = false;
	int count = 0;
	std::map<std::pair<std::string, int32_t>, std::vector<std::string>> kept;
	Folder outer;
	std::unique_ptr<World> world;
};
bool FullBroker::allowed;

TEST_P(FullBroker, RefusesServesAndRecovers)
{
	send_some(200);
	world->dispatched();
	fill();
	int refused = 0;
	for (int i = 0; i < 5000 && refused < 20; i++) {
		int32_t code = send("Topic" + std::to_string(i % 3), i % 4);

		if (code != GANTRY_SUCCESS) {
			EXPECT_EQ(code, GANTRY_SERVICE_NOT_AVAILABLE);
			refused++;
		}
		if (i % 100 == 0)
			fill();
	}
	EXPECT_EQ(refused, 20);
	world->dispatched();
	expect_all();
	/* tables change, and cannot be written */
	struct topic_config config;
	struct topic *topic;
	topic_config_init(&config, gantry_str{"Later", 5});
	config.read_queues = config.write_queues = 4;
	ASSERT_EQ(topics_ensure(world->role(), &config, &topic), 0);
	fill();
	expect_all();
	empty();
	ASSERT_TRUE(world->until([&] { return send("Topic0", 0) == GANTRY_SUCCESS; }));
	send_some(500);
	EXPECT_EQ(send("Later", 1), GANTRY_SUCCESS);
	world->dispatched();
	expect_all();
	EXPECT_TRUE(world->until([&] { return is_written("topics.json", "\"Later\""); }));
	world.reset();
	EXPECT_FALSE(fs::exists(root() + "/abort")) << "the stop was clean";
	open_world();
	expect_all();
	send_some(10);
}

/* What could not be written of the tables is written when there is room, without another change. */
TEST_P(FullBroker, TablesAreWrittenLater)
{
	struct topic_config config;
	struct topic *topic;

	send_some(10);
	fill();
	topic_config_init(&config, gantry_str{"Later", 5});
	config.read_queues = config.write_queues = 4;
	config.attributes = nullptr;
	ASSERT_EQ(topics_ensure(world->role(), &config, &topic), 0);
	for (int i = 0; i < 100; i++) {
		std::string name = "AndMore" + std::to_string(i);

		config.name = gantry_str{name.data(), name.size()};
		ASSERT_EQ(topics_ensure(world->role(), &config, &topic), 0);
	}
	EXPECT_FALSE(is_written("topics.json", "\"AndMore99\""));
	empty();
	EXPECT_TRUE(world->until([&] { return is_written("topics.json", "\"AndMore99\""); }));
}

/* Killed while it is full: what was acknowledged is there. */
TEST_P(FullBroker, AKillWhileFull)
{
	if (std::string(GetParam()) == "tmpfs")
		GTEST_SKIP() << "holes of a full tmpfs cannot be mapped: reading waits for room";
	world.reset();
	std::string out = outer / "acknowledged";

	in_a_process_that_dies(root(), [&](World &child) {
		Session session(child);
		std::ofstream list(out);
		int refused = 0;

		for (int i = 0; refused < 10 && i < 60000; i++) {
			Sent message;

			message.body = std::to_string(i) + std::string(2000, 'x');
			Sent sent = session.send(message);
			if (sent.code == GANTRY_SUCCESS)
				list << i << "\n" << std::flush;
			else
				refused++;
		}
		EXPECT_EQ(refused, 10);
	});
	std::ifstream list(out);
	std::string line;
	while (std::getline(list, line))
		kept[{"TopicTest", 0}].push_back(line + std::string(2000, 'x'));
	EXPECT_GT(kept.begin()->second.size(), 1000u);
	open_world();
	expect_all();
}

INSTANTIATE_TEST_SUITE_P(On, FullBroker, testing::Values("tmpfs", "ext4"),
			 [](const auto &info) { return std::string(info.param); });

} // namespace
