/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace
{

/* the service manager's end */
class Manager
{
      public:
	explicit Manager(bool abstract)
	{
		static int count;
		std::string name = (abstract ? "@gantry-notify-" : testing::TempDir() + "notify-") +
				   std::to_string(getpid()) + "-" + std::to_string(count++);
		sockaddr_un address = {};
		address.sun_family = AF_UNIX;
		memcpy(address.sun_path, name.c_str(), name.size());
		if (abstract)
			address.sun_path[0] = 0;
		else
			path = name;
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		EXPECT_EQ(0, bind(fd, reinterpret_cast<sockaddr *>(&address),
				  static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
							 name.size())));
		setenv("NOTIFY_SOCKET", name.c_str(), 1);
	}
	~Manager()
	{
		close(fd);
		if (!path.empty())
			unlink(path.c_str());
		unsetenv("NOTIFY_SOCKET");
	}
	std::string hear() const
	{
		char text[1024];
		pollfd some = {fd, POLLIN, 0};
		if (poll(&some, 1, 60000) != 1)
			return "nothing came";
		ssize_t size = recv(fd, text, sizeof(text), 0);
		return std::string(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
	}
	bool quiet() const
	{
		pollfd some = {fd, POLLIN, 0};
		return poll(&some, 1, 0) == 0;
	}

	int fd;
	std::string path;
};

TEST(Notify, SendsToAPathAndToTheAbstractNamespace)
{
	for (bool abstract : {false, true}) {
		Manager manager(abstract);
		gk_notify notify = {};
		gk_notify_open(&notify);
		gk_notify_send(&notify, "READY=1\nSTATUS=%s", "fine");
		EXPECT_EQ("READY=1\nSTATUS=fine", manager.hear());
		gk_notify_reloading(&notify);
		std::string text = manager.hear();
		EXPECT_EQ(0u, text.find("RELOADING=1\nMONOTONIC_USEC=")) << text;
		gk_notify_close(&notify);
	}
}

TEST(Notify, WithoutAManagerNothingHappens)
{
	unsetenv("NOTIFY_SOCKET");
	gk_notify notify = {};
	gk_notify_open(&notify);
	EXPECT_EQ(-1, notify.fd);
	gk_notify_send(&notify, "READY=1");
	gk_notify_close(&notify);
	testing::internal::CaptureStderr();
	setenv("NOTIFY_SOCKET", "relative", 1);
	gk_notify_open(&notify);
	EXPECT_EQ(-1, notify.fd);
	unsetenv("NOTIFY_SOCKET");
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("NOTIFY_SOCKET is relative")) << log;
}

class Watchdog : public testing::Test
{
      protected:
	~Watchdog() override
	{
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
	}
};

/* Reads the manager's socket from the control loop, so that the beat goes on. */
std::string hear_on(TestKernel &test, const Manager &manager)
{
	fcntl(manager.fd, F_SETFL, O_NONBLOCK);
	std::string got;
	std::atomic<bool> over{false};
	std::thread reader([&] {
		got = manager.hear();
		over = true;
		test.wake();
	});
	test.until([&] { return over.load(); });
	reader.join();
	return got;
}

TEST_F(Watchdog, BeatsWhileEveryLoopComesRound)
{
	Manager manager(true);
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
	TestKernel test(2);
	gk_notify_open(&test.kernel->notify);
	gk_watchdog_start(test.kernel);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ("WATCHDOG=1", hear_on(test, manager));
	gk_watchdog_stop(test.kernel);
	gk_notify_close(&test.kernel->notify);
}

TEST_F(Watchdog, IsSilentWhileALoopHangs)
{
	Manager manager(true);
	setenv("WATCHDOG_USEC", "20000", 1);
	TestKernel test(2);
	std::atomic<bool> hanging{false}, go_on{false};
	gantry_task hang = {};
	struct both {
		std::atomic<bool> *hanging, *go_on;
	} both = {&hanging, &go_on};
	hang.user = &both;
	hang.run = [](gantry_task *task) {
		auto *at = static_cast<struct both *>(task->user);
		*at->hanging = true;
		while (!*at->go_on)
			std::this_thread::yield();
	};
	gantry_loop_post(test.loop(1), &hang);
	while (!hanging)
		std::this_thread::yield();
	gk_notify_open(&test.kernel->notify);
	testing::internal::CaptureStderr();
	gk_watchdog_start(test.kernel);
	EXPECT_EQ("WATCHDOG=1", hear_on(test, manager)); /* the first asks, nobody is late yet */
	uint64_t later = gantry_clock_ms() + 60;
	int rounds = 0; /* in one of them the loop was looked at, however long all stood still */
	while (gantry_clock_ms() < later || rounds++ < 10)
		gk_control_until(
			test.kernel, [](void *) { return 0; }, nullptr, gantry_clock_ms() + 10);
	EXPECT_TRUE(manager.quiet());
	go_on = true;
	EXPECT_EQ("WATCHDOG=1", hear_on(test, manager));
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("event loop 1 does not come round")) << log;
	gk_watchdog_stop(test.kernel);
	gk_notify_close(&test.kernel->notify);
}

TEST_F(Watchdog, IsNotForAnotherProcess)
{
	Manager manager(true);
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	TestKernel test(1);
	gk_notify_open(&test.kernel->notify);
	gk_watchdog_start(test.kernel);
	EXPECT_FALSE(test.kernel->notify.watching);
	gk_watchdog_stop(test.kernel);
	gk_notify_close(&test.kernel->notify);
}

} // namespace
