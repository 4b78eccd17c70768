/* SPDX-License-Identifier: Apache-2.0 */
/* Ports for what a test starts later, or starts again on the same port. */
#ifndef SUPPORT_PORTS_H
#define SUPPORT_PORTS_H

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

/* Ports that no other program of tests takes for as long as this one runs: the name of a socket
 * says so, which goes with its owner however that ends. They are below those that the kernel gives
 * to outgoing connections. The same in Python: tests/peers/harness/process.py. */
class PortBlock
{
      public:
	PortBlock()
	{
		for (unsigned i = 0; i < COUNT; ++i) {
			unsigned number = (static_cast<unsigned>(getpid()) + i) % COUNT;

			if (!mark(number))
				continue;
			first_ = FIRST + number * SIZE;
			if (nobody_listens())
				return;
			close(mark_);
		}
		abort();
	}
	/* The next port that nobody listens on; after the last comes the first again. */
	unsigned next()
	{
		for (unsigned tries = 0; tries < SIZE; ++tries) {
			unsigned port = first_ + next_++ % SIZE;

			if (is_free(port))
				return port;
		}
		abort();
	}

      private:
	static constexpr unsigned FIRST = 20000, SIZE = 200, COUNT = 60;

	bool mark(unsigned number)
	{
		sockaddr_un name = {};
		int size;

		name.sun_family = AF_UNIX;
		size = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1,
				"gantry-test-ports-%u", number);
		mark_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (mark_ >= 0 && bind(mark_, reinterpret_cast<sockaddr *>(&name),
				       static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1) +
					       static_cast<socklen_t>(size)) == 0)
			return true;
		if (mark_ >= 0)
			close(mark_);
		return false;
	}
	static sockaddr_in local(unsigned port)
	{
		sockaddr_in address = {};

		address.sin_family = AF_INET;
		address.sin_port = htons(static_cast<uint16_t>(port));
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return address;
	}
	bool nobody_listens() const
	{
		bool nobody = true;

		for (unsigned port = first_; nobody && port < first_ + SIZE; ++port) {
			sockaddr_in address = local(port);
			int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

			nobody = connect(fd, reinterpret_cast<sockaddr *>(&address),
					 sizeof(address)) != 0;
			close(fd);
		}
		return nobody;
	}
	static bool is_free(unsigned port)
	{
		sockaddr_in address = local(port);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
		bool free;

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		free = bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0;
		close(fd);
		return free;
	}
	int mark_ = -1;
	unsigned first_ = 0, next_ = 0;
};

/* A port that nobody listens on, nor will: from the first thread only. */
inline unsigned free_port()
{
	static PortBlock block;

	return block.next();
}

#endif
