/* SPDX-License-Identifier: Apache-2.0 */
/* A page, and what is no page. */
#include "register/http.h"

#include <arpa/inet.h>
#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

/* Answers one connection with a text, whatever it asks. */
class Http : public testing::Test
{
      protected:
	Http()
	{
		sockaddr_in address = {};
		socklen_t size = sizeof(address);

		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr *>(&address), size), 0);
		EXPECT_EQ(listen(fd_, 4), 0);
		getsockname(fd_, reinterpret_cast<sockaddr *>(&address), &size);
		std::string text = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
		EXPECT_EQ(remoting_address_split(text.c_str(), &at), 0);
	}
	~Http() override
	{
		if (fd_ >= 0)
			close(fd_);
	}
	int get(const std::string &answer)
	{
		std::thread server([&] {
			int one = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
			char asked[512];
			ssize_t size = recv(one, asked, sizeof(asked), 0);

			request.assign(asked, size > 0 ? static_cast<size_t>(size) : 0);
			send(one, answer.data(), answer.size(), MSG_NOSIGNAL);
			close(one);
		});
		int rc = http_get(&at, "/rocketmq/nsaddr", 10000, text, sizeof(text));

		server.join();
		return rc;
	}

	remoting_address at = {};
	std::string request;
	char text[256] = "";
	int fd_;
};

TEST_F(Http, AGoodAnswerLeavesItsBody)
{
	ASSERT_EQ(get("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\na:1;b:2\n"), 0);
	EXPECT_STREQ(text, "a:1;b:2\n");
	EXPECT_EQ(request.find("GET /rocketmq/nsaddr HTTP/1.0\r\nHost: 127.0.0.1:"), 0u);
	ASSERT_EQ(get("HTTP/1.0 200\r\n\r\n"), 0);
	EXPECT_STREQ(text, "");
}

TEST_F(Http, WhatIsNoGoodAnswerIsRefused)
{
	EXPECT_EQ(get("HTTP/1.1 404 Not Found\r\n\r\na:1"), -EPROTO);
	EXPECT_EQ(get("HTTP/1.1 200 OK\r\nno end of headers"), -EPROTO);
	EXPECT_EQ(get("HTTP/1.1"), -EPROTO);
	EXPECT_EQ(get(std::string("\0\0 200\r\n\r\n", 10)), -EPROTO);
	EXPECT_EQ(get(""), -EPROTO);
	EXPECT_EQ(get("HTTP/1.1 200 OK\r\n\r\n" + std::string(sizeof(text), 'x')), -EMSGSIZE);
}

TEST_F(Http, NobodyThereIsSaid)
{
	EXPECT_EQ(http_get(&at, "/", 50, text, sizeof(text)), -ETIMEDOUT) << "it says nothing";
	close(fd_);
	fd_ = -1;
	EXPECT_EQ(http_get(&at, "/", 1000, text, sizeof(text)), -ECONNREFUSED);
	remoting_address_split("no-such-host.invalid:80", &at);
	EXPECT_EQ(http_get(&at, "/", 1000, text, sizeof(text)), -ENOENT);
	EXPECT_EQ(http_get(&at, std::string(2000, 'x').c_str(), 1000, text, sizeof(text)),
		  -EMSGSIZE);
}
