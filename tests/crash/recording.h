/* SPDX-License-Identifier: Apache-2.0 */
/* A broker's store under a mixed load, recorded; and what its files must hold after a crash. */
#ifndef CRASH_RECORDING_H
#define CRASH_RECORDING_H

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../broker/session.h"
#include "disk.h"

struct Stored {
	std::string body;
	uint64_t at;         /* in the log */
	size_t begun, acked; /* so many events there were when it was sent, and acknowledged */
};

using QueueName = std::pair<std::string, int32_t>;
using Stores = std::map<QueueName, std::vector<Stored>>; /* by queue offset */

class Recording
{
      public:
	/* keys: of the role. Goes on with what is known to be in the folder. */
	Recording(const std::string &keys, uint64_t seed);

	/* A broker starts, serves so many calls, and stops. */
	void live(unsigned calls);
	/* The files as they may be after a crash, and what the broker makes of them. */
	void check(size_t events, Crash crash, uint64_t seed);
	/* Throws the folder away and goes on with what a crash left. */
	void crash(size_t events, Crash crash, uint64_t seed);

	size_t events() const
	{
		return events_;
	}

      private:
	void send(Session &session);
	void take(const std::vector<Sent> &sent, const std::vector<std::vector<std::string>> &texts,
		  size_t begun);
	uint64_t make(const std::string &to, size_t events, Crash crash, Dice &dice);
	Stores owed(World &world, size_t events, Crash crash, uint64_t durable);
	void go_on(World &world, Stores *found, Dice &dice);

	Folder folder_;
	std::string keys_, root_;
	bool sync_;
	Dice dice_;
	Stores stored_;
	std::vector<size_t> clean_; /* a stop was clean when so many events had happened */
	size_t events_ = 0;
};

#endif
