// SPDX-License-Identifier: Apache-2.0
// For tests: the other end of a connection, with blocking sockets on loopback, and frames made and
// read by the codec.
#ifndef REMOTING_TEST_WIRE_H
#define REMOTING_TEST_WIRE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <remoting/codec.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

// A command, decoded or to be sent.
struct Message {
	int32_t code = 0, language = 0, version = 513, opaque = 0, flag = 0;
	uint32_t serialization = REMOTING_JSON;
	bool whole = false; // false: the connection ended instead
	std::string remark;
	std::map<std::string, std::string> fields;
	std::string body;

	std::string Bytes() const
	{
		std::vector<gantry_field> list;
		remoting_header header = {};

		for (const auto &field : fields)
			list.push_back({{field.first.data(), field.first.size()},
					{field.second.data(), field.second.size()}});
		header.code = code;
		header.language = language;
		header.version = version;
		header.opaque = opaque;
		header.flag = flag;
		header.serialization = serialization;
		if (!remark.empty())
			header.remark = {remark.data(), remark.size()};
		header.fields = list.data();
		header.field_count = uint32_t(list.size());
		std::string bytes(remoting_encoded_max(&header), '\0');
		bytes.resize(remoting_encode(&header, body.size(), &bytes[0]));
		return bytes + body;
	}

	static Message Parse(const remoting_frame &frame)
	{
		std::vector<gantry_field> list(REMOTING_FIELDS_MAX);
		std::vector<char> text(frame.header.size + REMOTING_SLACK);
		remoting_scratch scratch = {list.data(), text.data(),           text.size(),
					    0,           uint32_t(list.size()), 0};
		remoting_header header;
		Message message;

		EXPECT_EQ(remoting_header_decode(&frame, &scratch, &header, nullptr), 0);
		message.code = header.code;
		message.language = header.language;
		message.version = header.version;
		message.opaque = header.opaque;
		message.flag = header.flag;
		message.serialization = header.serialization;
		if (header.remark.at)
			message.remark.assign(header.remark.at, header.remark.size);
		for (uint32_t i = 0; i < header.field_count; i++)
			message.fields[std::string(list[i].name.at, list[i].name.size)] =
				std::string(list[i].value.at, list[i].value.size);
		if (frame.body.at)
			message.body.assign(frame.body.at, frame.body.size);
		message.whole = true;
		return message;
	}
};

// A connected socket. Reading gives up after ten seconds.
class Wire
{
      public:
	explicit Wire(int fd = -1) : fd_(fd)
	{
		timeval wait = {60, 0};
		int on = 1;

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	~Wire()
	{
		Close();
	}
	Wire(Wire &&other) : fd_(other.fd_), in_(std::move(other.in_))
	{
		other.fd_ = -1;
	}
	Wire(const Wire &) = delete;
	Wire &operator=(const Wire &) = delete;

	static Wire Connect(unsigned port, int receive_buffer = 0)
	{
		sockaddr_in address = {};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (receive_buffer)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(int));
		address.sin_family = AF_INET;
		address.sin_port = htons(uint16_t(port));
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
		return Wire(fd);
	}
	void Close()
	{
		if (fd_ >= 0)
			close(fd_);
		fd_ = -1;
	}
	void Send(const std::string &bytes)
	{
		for (size_t at = 0; at < bytes.size();) {
			ssize_t sent =
				send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);

			if (sent <= 0)
				return;
			at += size_t(sent);
		}
	}
	void Send(const Message &message)
	{
		Send(message.Bytes());
	}
	// The next frame; one that is not whole if the connection ended.
	Message Read()
	{
		remoting_frame frame;

		while (remoting_frame_cut(nullptr, in_.data(), in_.size(), &frame, nullptr) != 0) {
			char more[65536];
			ssize_t got = recv(fd_, more, sizeof(more), 0);

			if (got <= 0) {
				ended_ = got == 0 || errno == ECONNRESET;
				return Message();
			}
			in_.append(more, size_t(got));
		}
		Message message = Message::Parse(frame);
		in_.erase(0, frame.size);
		return message;
	}
	// Whether the other side closes before it sends another frame.
	bool Ends()
	{
		return !Read().whole && ended_;
	}
	// Whether nothing comes for so long.
	bool Silent(int ms)
	{
		pollfd ready = {fd_, POLLIN, 0};

		return in_.empty() && poll(&ready, 1, ms) == 0;
	}
	int fd() const
	{
		return fd_;
	}

      private:
	int fd_;
	std::string in_;
	bool ended_ = false;
};

class Listener
{
      public:
	explicit Listener(int backlog = 16)
	{
		sockaddr_in address = {};
		socklen_t size = sizeof(address);

		fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr *>(&address), size), 0);
		EXPECT_EQ(listen(fd_, backlog), 0);
		getsockname(fd_, reinterpret_cast<sockaddr *>(&address), &size);
		port_ = ntohs(address.sin_port);
	}
	~Listener()
	{
		Close();
	}
	Listener(const Listener &) = delete;
	Listener &operator=(const Listener &) = delete;
	void Close()
	{
		if (fd_ >= 0)
			close(fd_);
		fd_ = -1;
	}
	Wire Accept()
	{
		return Wire(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
	}
	unsigned port() const
	{
		return port_;
	}
	std::string address() const
	{
		return "127.0.0.1:" + std::to_string(port_);
	}
	int fd() const
	{
		return fd_;
	}

      private:
	int fd_;
	unsigned port_;
};

#endif
