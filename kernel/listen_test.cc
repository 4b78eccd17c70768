/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"
#include "listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace
{

/* who was accepted, on which loop */
struct guests {
	std::mutex lock;
	std::map<gantry_loop *, int> by_loop;
	std::atomic<int> count{0};
	TestKernel *test;
	gantry_listener *listener = nullptr;

	explicit guests(TestKernel &test) : test(&test)
	{
	}
	gantry_listen_spec spec(const char *host, uint32_t port = 0)
	{
		gantry_listen_spec spec = {};
		spec.size = sizeof(spec);
		spec.host = host;
		spec.port = port;
		spec.user = this;
		spec.accepted = [](gantry_listener *, gantry_loop *loop, int fd, void *user) {
			auto *at = static_cast<guests *>(user);
			EXPECT_EQ(loop, gantry_loop_here());
			EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
			EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
			close(fd);
			{
				std::lock_guard<std::mutex> hold(at->lock);
				at->by_loop[loop]++;
			}
			at->count++;
			at->test->wake();
		};
		return spec;
	}
};

int connect_to(int family, unsigned port)
{
	sockaddr_in v4 = {};
	sockaddr_in6 v6 = {};
	v4.sin_family = AF_INET;
	v4.sin_port = v6.sin6_port = htons(static_cast<uint16_t>(port));
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_family = AF_INET6;
	v6.sin6_addr = in6addr_loopback;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int bad = family == AF_INET ? connect(fd, reinterpret_cast<sockaddr *>(&v4), sizeof(v4))
				    : connect(fd, reinterpret_cast<sockaddr *>(&v6), sizeof(v6));
	if (bad) {
		bad = -errno;
		close(fd);
		return bad;
	}
	return fd;
}

TEST(Listen, HandsConnectionsRoundTheLoops)
{
	TestKernel test(3);
	gantry_inst *inst = test.add();
	guests guests(test);
	gantry_listen_spec spec = guests.spec("127.0.0.1");
	ASSERT_EQ(0, gantry_listen(inst, &spec, &guests.listener));
	unsigned port = gantry_listener_port(guests.listener);
	ASSERT_NE(0u, port);
	std::vector<int> clients;
	for (int i = 0; i < 30; i++)
		clients.push_back(connect_to(AF_INET, port));
	test.until([&] { return guests.count == 30; });
	EXPECT_EQ(3u, guests.by_loop.size());
	for (auto &each : guests.by_loop)
		EXPECT_EQ(10, each.second);
	for (int fd : clients)
		close(fd);
	gantry_listener_close(guests.listener);
}

TEST(Listen, WithoutAHostItIsEveryAddress)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	guests guests(test);
	gantry_listen_spec spec = guests.spec(nullptr);
	ASSERT_EQ(0, gantry_listen(inst, &spec, &guests.listener));
	unsigned port = gantry_listener_port(guests.listener);
	close(connect_to(AF_INET, port));
	test.until([&] { return guests.count == 1; });
	int v6 = connect_to(AF_INET6, port);
	if (v6 >= 0) { /* a machine without IPv6 serves IPv4 */
		close(v6);
		test.until([&] { return guests.count == 2; });
	}
	char name[64];
	gk_listener_name(inst, port, name, sizeof(name));
	EXPECT_STREQ(v6 >= 0 ? ("*:" + std::to_string(port)).c_str()
			     : ("0.0.0.0:" + std::to_string(port)).c_str(),
		     name);
	gantry_listener_close(guests.listener);
}

TEST(Listen, TellsWhatIsWrong)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	guests guests(test);
	gantry_listen_spec spec = guests.spec("127.0.0.1");
	ASSERT_EQ(0, gantry_listen(inst, &spec, &guests.listener));
	gantry_listener *second = nullptr;
	spec.port = gantry_listener_port(guests.listener);
	EXPECT_EQ(-EADDRINUSE, gantry_listen(inst, &spec, &second));
	spec = guests.spec("no-address");
	EXPECT_EQ(-EINVAL, gantry_listen(inst, &spec, &second));
	spec = guests.spec("127.0.0.1", 65536);
	EXPECT_EQ(-EINVAL, gantry_listen(inst, &spec, &second));
	EXPECT_EQ(nullptr, second);
	gantry_listener_close(guests.listener);
	gantry_listener_close(nullptr);
}

TEST(Listen, AClosedPortRefusesAtOnceAndIsFree)
{
	TestKernel test(2);
	gantry_inst *inst = test.add();
	guests guests(test);
	gantry_listen_spec spec = guests.spec("127.0.0.1");
	ASSERT_EQ(0, gantry_listen(inst, &spec, &guests.listener));
	unsigned port = gantry_listener_port(guests.listener);
	gantry_listener_close(guests.listener);
	EXPECT_EQ(-ECONNREFUSED, connect_to(AF_INET, port));
	spec = guests.spec("127.0.0.1", port);
	ASSERT_EQ(0, gantry_listen(inst, &spec, &guests.listener));
	close(connect_to(AF_INET, port));
	test.until([&] { return guests.count == 1; });
	EXPECT_EQ(1u, gk_inst_take_back(inst));
	EXPECT_EQ(-ECONNREFUSED, connect_to(AF_INET, port));
}

/* Out of descriptors the waiting client is told at once, the loop does not spin, and it goes on
 * when there are some again. */
TEST(Listen, SurvivesRunningOutOfDescriptors)
{
	TestKernel test(1);
	gantry_inst *inst = test.add();
	guests guests(test);
	gantry_listen_spec spec = guests.spec("127.0.0.1");
	ASSERT_EQ(0, gantry_listen(inst, &spec, &guests.listener));
	unsigned port = gantry_listener_port(guests.listener);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	test.on(test.loop(0), [] {}); /* it watches the port */

	rlimit saved, none;
	getrlimit(RLIMIT_NOFILE, &saved);
	int lowest = dup(0);
	close(lowest);
	none = saved;
	none.rlim_cur = static_cast<rlim_t>(lowest);
	testing::internal::CaptureStderr();
	lowest = dup(0); /* the capture took some */
	none.rlim_cur = static_cast<rlim_t>(lowest);
	close(lowest);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	sockaddr_in to = {};
	to.sin_family = AF_INET;
	to.sin_port = htons(static_cast<uint16_t>(port));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT_EQ(0, connect(client, reinterpret_cast<sockaddr *>(&to), sizeof(to)));
	pollfd hung = {client, POLLIN, 0};
	EXPECT_EQ(1, poll(&hung, 1, 60000));
	char byte;
	EXPECT_EQ(0, read(client, &byte, 1)); /* closed by the server */
	setrlimit(RLIMIT_NOFILE, &saved);
	close(client);
	EXPECT_EQ(0, guests.count);
	close(connect_to(AF_INET, port));
	test.until([&] { return guests.count == 1; });
	gantry_listener_close(guests.listener);
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("cannot accept connections on port " +
					      std::to_string(port) + ": Too many open files"))
		<< log;
}

} // namespace
