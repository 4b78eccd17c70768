/* SPDX-License-Identifier: Apache-2.0 */
/* A connected client, as a front-end would show it to the role, and what it asks for. */
#ifndef BROKER_SESSION_H
#define BROKER_SESSION_H

#include <map>
#include <memory>
#include <vector>

#include "world.h"

/* A sent message, and what came of it. */
struct Sent {
	std::string topic = "TopicTest", group = "producers", default_topic = "TBW102";
	std::string properties, body = "hello";
	int32_t queue = 0, sys_flag = 0, reconsume = 0, max_reconsume = -1, default_queues = 4;
	uint32_t flags = 0;
	int64_t born_ms = 1700000000000;
	/* out */
	int32_t code = -1, ret_queue = -1;
	uint32_t ret_flags = 0;
	int64_t queue_offset = -1;
	std::vector<uint64_t> offsets;
	std::string transaction_id, remark;
};

/* A pull, and what came of it. */
struct Pulled {
	std::string topic = "TopicTest", group = "consumers", subscription = "*", type = "TAG";
	int64_t offset = 0, commit_offset = 0, suspend_ms = 0, sub_version = 0;
	int32_t queue = 0, max_messages = 32, max_bytes = -1;
	uint32_t flags = GANTRY_PULL_SUBSCRIPTION;
	int32_t source = -1; /* RocketMQ's RequestSource */
	std::string proxy_client;
	/* out */
	int32_t code = -1, forbidden = 0, op_status = 0;
	int64_t next = -1, min = -1, max = -1, suggest = -1;
	uint32_t slices = 0, count = 0;
	std::string bytes, remark;
	bool pending = false; /* it did not answer at once */
};

class Session
{
      public:
	Session(World &world, unsigned loop = 0);
	~Session(); /* the connection is closed */
	Session(const Session &) = delete;

	/* Sends them in one call, and waits for the answers. */
	void send(std::vector<Sent> &messages);
	Sent send(Sent message);
	/* Pulls, and waits for the answer. */
	Pulled pull(Pulled pull);

	/* A pull whose answer is waited for later. */
	class Pending;
	std::unique_ptr<Pending> begin(Pulled pull);
	void close();
	/* The world ends before the connection does. */
	void abandon();

	gantry_loop *loop() const
	{
		return session_.loop;
	}
	gantry_session *get()
	{
		return &session_;
	}

      private:
	World &world_;
	gantry_session session_ = {};
	bool open_ = true;
};

class Session::Pending
{
      public:
	Pending(World &world, Session &session, Pulled pull);
	bool done() const;
	Pulled wait();

      private:
	void collect();
	World &world_;
	Pulled pulled_;
	gantry_pull pull_ = {};
	Op op_;
	bool answered_ = false; /* written on the loop before the test goes on */
};

/* The bodies of stored messages, one after another. */
std::vector<std::string> bodies(const std::string &records);

/* Properties text of key and value pairs. */
std::string pairs(const std::vector<std::pair<std::string, std::string>> &list);

/* A request that is neither a send nor a pull, and what came of it. */
struct Called {
	int32_t code = -1;
	std::string remark, body;
};

/* Asks on the first loop, and waits for the answer. */
Called ask(World &world, int32_t code,
	   const std::vector<std::pair<std::string, std::string>> &fields);

/* A stored message. */
struct Kept {
	std::string topic, body;
	std::map<std::string, std::string> properties;
	int32_t queue = -1, flag = 0, sys_flag = 0, reconsume = 0;
	int64_t queue_offset = -1, born_ms = 0, store_ms = 0;
	uint64_t at = 0;
	bool has(const std::string &key) const
	{
		return properties.count(key);
	}
};

/* Every message that the queue has now, in order. */
std::vector<Kept> stored(World &world, const std::string &topic, int32_t queue);
/* The same, when there are so many. */
std::vector<Kept> stored(World &world, const std::string &topic, int32_t queue, size_t count);

/* One message of a batch's body. */
std::string batch_item(const std::string &body, const std::string &properties = "");

#endif
