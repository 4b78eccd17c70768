/* SPDX-License-Identifier: Apache-2.0 */
#include "ha_fixture.h"

#include <arpa/inet.h>
#include <endian.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
/* libuv closes descriptors by the system call itself, which ThreadSanitizer does not see: it takes
 * the next owner of the number for a second user of the first one's. */
extern "C" __attribute__((visibility("default"))) const char *__tsan_default_suppressions();
extern "C" const char *__tsan_default_suppressions()
{
	return "race_top:interceptor_socket\nrace_top:interceptor_accept4\nrace_top:interceptor_"
	       "epoll_ctl\n";
}
#endif

namespace
{
constexpr int PATIENCE_MS = 60000;

sockaddr_in local(unsigned port)
{
	sockaddr_in address = {};

	address.sin_family = AF_INET;
	address.sin_port = htons(static_cast<uint16_t>(port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

int bound(unsigned *ret_port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	sockaddr_in address = local(0);
	socklen_t size = sizeof(address);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, reinterpret_cast<sockaddr *>(&address), size) != 0 ||
	    getsockname(fd, reinterpret_cast<sockaddr *>(&address), &size) != 0)
		abort();
	*ret_port = ntohs(address.sin_port);
	return fd;
}

bool readable(int fd)
{
	pollfd poll_fd = {fd, POLLIN, 0};

	return poll(&poll_fd, 1, PATIENCE_MS) == 1;
}

std::string big_endian(int64_t value)
{
	uint64_t text = htobe64(static_cast<uint64_t>(value));

	return std::string(reinterpret_cast<char *>(&text), sizeof(text));
}
} // namespace

Node::Node(const Engine &engine, const std::string &mode, const std::string &directory,
	   const std::string &keys)
    : world(std::make_unique<World>(sections(engine, mode, keys))),
      client(std::make_unique<Client>(*world, mode))
{
	EXPECT_EQ(client->attach(directory, SEGMENT), 0);
	EXPECT_EQ(client->recover(), 0);
}

Node::~Node()
{
	client.reset();
	world.reset();
}

std::string log_bytes(const std::string &directory, uint64_t segment_bytes, uint64_t end)
{
	std::string all;

	for (uint64_t at = 0; at < end; at += segment_bytes)
		all += file_text(directory + "/" + name_of(at));
	all.resize(end);
	return all;
}

Peer::Peer(unsigned port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
	sockaddr_in address = local(port);

	if (connect(fd_, reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0)
		ADD_FAILURE() << "nobody listens on port " << port;
}

Peer::~Peer()
{
	close(fd_);
}

void Peer::say(const std::string &bytes)
{
	size_t done = 0;

	while (done < bytes.size()) {
		ssize_t size = send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);

		if (size <= 0)
			return;
		done += static_cast<size_t>(size);
	}
}

void Peer::report(int64_t offset)
{
	say(big_endian(offset));
}

void Peer::batch(int64_t offset, const std::string &body)
{
	say(big_endian(offset) + big_endian(static_cast<int64_t>(body.size())).substr(4) + body);
}

bool Peer::read_exactly(char *to, size_t size)
{
	while (size) {
		ssize_t got = readable(fd_) ? recv(fd_, to, size, 0) : 0;

		if (got <= 0)
			return false;
		to += got;
		size -= static_cast<size_t>(got);
	}
	return true;
}

std::optional<Batch> Peer::take()
{
	uint64_t offset;
	uint32_t size;
	char head[12];
	Batch batch;

	if (!read_exactly(head, sizeof(head)))
		return std::nullopt;
	memcpy(&offset, head, 8);
	memcpy(&size, head + 8, 4);
	batch.offset = static_cast<int64_t>(be64toh(offset));
	batch.body.resize(be32toh(size));
	if (!read_exactly(batch.body.data(), batch.body.size()))
		return std::nullopt;
	return batch;
}

std::optional<int64_t> Peer::take_report()
{
	uint64_t offset;

	if (!read_exactly(reinterpret_cast<char *>(&offset), sizeof(offset)))
		return std::nullopt;
	return static_cast<int64_t>(be64toh(offset));
}

bool Peer::closed()
{
	char some[4096];

	while (readable(fd_)) {
		ssize_t got = recv(fd_, some, sizeof(some), 0);

		if (got <= 0)
			return true;
	}
	return false;
}

Listener::Listener() : fd_(bound(&port))
{
	if (listen(fd_, 8) != 0)
		abort();
}

Listener::~Listener()
{
	close(fd_);
}

std::unique_ptr<Peer> Listener::accept()
{
	if (!readable(fd_))
		return nullptr;
	return std::make_unique<Peer>(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
}
