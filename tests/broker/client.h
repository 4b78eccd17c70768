/* SPDX-License-Identifier: Apache-2.0 */
/* A connected client that calls the role, and that the role may ask and tell things. */
#ifndef BROKER_CLIENT_H
#define BROKER_CLIENT_H

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "world.h"

using Fields = std::map<std::string, std::string>;

/* What a call came to. */
struct Answered {
	int32_t code = -1;
	std::string remark, body;
	Fields fields;
};

/* What the role pushed to a client, or asked of it. */
struct Heard {
	int32_t code = 0;
	Fields fields;
	std::string body;
};

class Client
{
      public:
	explicit Client(World &world, unsigned loop = 0, int32_t version = 513);
	~Client(); /* the connection is closed */
	Client(const Client &) = delete;

	/* Calls, and waits for the answer. */
	Answered call(int32_t code, const Fields &fields, const std::string &body = "");
	/* A call whose answer is waited for later. */
	class Pending;
	std::unique_ptr<Pending> begin(int32_t code, const Fields &fields,
				       const std::string &body = "");

	/* A heartbeat of a consumer group, a producer group, or both. */
	void join(const std::string &id, const std::string &consumer,
		  const std::vector<std::string> &topics, const std::string &producer = "");
	void leave(const std::string &consumer, const std::string &producer = "");
	void close();

	/* Of what the role sent to it, in order. Waits until there are so many. */
	std::vector<Heard> heard(size_t count);
	/* How it answers what it is asked from now on; without this it never does. */
	void answers(int32_t code, const std::string &body = "");
	/* Asks fail at once with this errno. */
	void refuses(int error);
	gantry_session *get()
	{
		return &session_;
	}
	uint32_t holds() const; /* by the role, now */

      private:
	static Client *of(gantry_session *session);
	static int push(gantry_session *session, const gantry_push *push);
	static int ask(gantry_session *session, const gantry_push *push, gantry_answer *ret,
		       gantry_op *op);
	static const gantry_session_ops ops;
	void note(const gantry_push *push);

	World &world_;
	gantry_session session_ = {};
	int32_t version_;
	bool open_ = true;
	uint32_t holds_ = 0; /* atomic */
	std::mutex lock_;    /* guards the rest */
	std::vector<Heard> heard_;
	bool silent_ = true;
	int error_ = 0;
	int32_t code_ = 0;
	std::string body_;
};

class Client::Pending
{
      public:
	Pending(World &world, Client &client, int32_t code, const Fields &fields,
		const std::string &body);
	bool done() const;
	Answered wait();

      private:
	void collect();
	World &world_;
	gantry_call call_ = {};
	Op op_;
	Answered answered_;
	bool pending_ = false, collected_ = false;
};

#endif
