/* SPDX-License-Identifier: Apache-2.0 */
/* Masters and slaves in one program, and a peer on the HA port that says what it likes. */
#ifndef CONTRACT_HA_FIXTURE_H
#define CONTRACT_HA_FIXTURE_H

#include <optional>

#include "../support/ports.h"
#include "door_contract.h"

/* A node: a world with a mode, and its client on a log of its own. */
class Node
{
      public:
	Node(const Engine &engine, const std::string &mode, const std::string &directory,
	     const std::string &keys);
	~Node();
	uint64_t end() const
	{
		return client->mark(GANTRY_APPENDED);
	}

	std::unique_ptr<World> world;
	std::unique_ptr<Client> client;
};

/* The bytes of a commit log's files from offset to end. */
std::string log_bytes(const std::string &directory, uint64_t segment_bytes, uint64_t end);

/* Frames of RocketMQ's HA protocol, by hand. */
struct Batch {
	int64_t offset = -1;
	std::string body;
};

class Peer
{
      public:
	explicit Peer(unsigned port); /* connects */
	explicit Peer(int fd) : fd_(fd)
	{
	}
	~Peer();
	Peer(const Peer &) = delete;
	void say(const std::string &bytes);
	void report(int64_t offset);
	void batch(int64_t offset, const std::string &body);
	/* What the other side sends next; nothing if it closes, or is silent for a minute. */
	std::optional<Batch> take();
	std::optional<int64_t> take_report();
	/* Whether it closes, whatever it sends before. */
	bool closed();

      private:
	bool read_exactly(char *to, size_t size);
	int fd_;
};

/* A listening socket that stands for a master. */
class Listener
{
      public:
	Listener();
	~Listener();
	std::unique_ptr<Peer> accept(); /* waits a minute at most; NULL */
	unsigned port = 0;

      private:
	int fd_;
};

/* One port for what a test starts. */
class Ha : public ModeTest
{
      protected:
	std::unique_ptr<Node> master(const std::string &mode = "replication-async",
				     const std::string &keys = "",
				     const std::string &directory = "master")
	{
		return std::make_unique<Node>(
			GetParam(), mode, folder / directory,
			"haListenPort = " + std::to_string(port) +
				"\nflushIntervalCommitLog = 20\nhaSendHeartbeatInterval = 20\n" +
				keys);
	}
	std::unique_ptr<Node> slave(const std::string &keys = "",
				    const std::string &directory = "slave")
	{
		return std::make_unique<Node>(
			GetParam(), "replication-slave", folder / directory,
			"haMasterAddress = 127.0.0.1:" + std::to_string(port) +
				"\nflushIntervalCommitLog = 20\nhaSendHeartbeatInterval = 20\n" +
				keys);
	}
	/* Sends so many records of that size; what they are answered is not waited for. */
	static void fill(Node &node, int count, size_t size)
	{
		for (int i = 0; i < count; ++i)
			ASSERT_GE(
				node.client
					->send({std::string(size, static_cast<char>('a' + i % 26))})
					->rc,
				0);
	}
	static void caught_up(Node &slave, Node &master)
	{
		ASSERT_TRUE(slave.world->until([&] { return slave.end() == master.end(); }));
	}
	void same_files(uint64_t end, const std::string &directory = "slave")
	{
		ASSERT_EQ(log_bytes(folder / directory, SEGMENT, end) ==
				  log_bytes(folder / "master", SEGMENT, end),
			  true)
			<< "the same bytes at the same offsets";
	}

	unsigned port = free_port();
};

#endif
