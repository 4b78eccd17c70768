// SPDX-License-Identifier: Apache-2.0
// A role for the front-end's tests: it notes what it is asked and answers what the test says, at
// once or when the test says so. Its calls run on event loops; the test waits on a condition.
#ifndef FRONT_RECORDER_H
#define FRONT_RECORDER_H

#include <gantry/plugin.h>
#include <gantry/role.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

struct Sent {
	std::string topic, group, default_topic, properties, body;
	int64_t born_ms;
	int32_t default_queues, queue, sys_flag, flag, reconsume_times, max_reconsume_times,
		version;
	uint32_t flags;
};

struct Pulled {
	std::string group, topic, subscription, expression_type;
	int64_t offset, commit_offset, sub_version, suspend_ms;
	int32_t queue, max_messages, max_bytes, request_source;
	uint32_t flags;
};

struct Called {
	int32_t code;
	uint32_t one_way;
	std::map<std::string, std::string> fields;
	std::string body;
};

class Recorder
{
      public:
	Recorder();
	~Recorder();
	// The one that the plugin's calls go to.
	static Recorder *current;
	static const gantry_plugin *entry();

	// Waits until met is true of what was recorded; false after a minute.
	bool Wait(const std::function<bool()> &met);
	// Lets every held request finish; held pulls bring the slices.
	void FinishSends();
	void FinishPulls(int32_t code);
	void FinishCalls();

	// What the test says. Under lock once connections are open.
	bool hold_sends = false, hold_pulls = false, hold_calls = false;
	int32_t send_code = 0, pull_code = 0;
	uint32_t slice_size = 0, slice_count = 0; // of an answered pull
	uint32_t ids = 1;                         // message ids of an answered send
	std::string call_body;                    // "" echoes

	// What was recorded; under lock.
	std::mutex lock;
	std::vector<Sent> sends;
	std::vector<uint32_t> batches;
	std::vector<Pulled> pulls;
	std::vector<Called> calls;
	std::vector<std::string> heartbeats, leaves;
	std::map<uint64_t, gantry_session *> sessions; // held; those that called
	int gone = 0;
	int leases = 0; // slices given and not released
	gantry_inst *inst = nullptr;

      private:
	struct HeldSend {
		std::vector<gantry_send *> sends;
		gantry_op *op;
	};
	struct HeldPull {
		gantry_pull *pull;
		gantry_op *op;
	};
	struct HeldCall {
		gantry_call *call;
		gantry_op *op;
	};
	void Note(gantry_session *session);
	void Answer(gantry_send *send);
	void Answer(gantry_pull *pull);
	void Answer(gantry_call *call);
	static int Send(gantry_inst *, gantry_send *const *, uint32_t, gantry_op *);
	static int Pull(gantry_inst *, gantry_pull *, gantry_op *);
	static int Call(gantry_inst *, gantry_call *, gantry_op *);
	static int Join(gantry_inst *, gantry_client *);
	static int Leave(gantry_inst *, gantry_session *, gantry_str, gantry_str, gantry_str);
	static void Gone(gantry_inst *, gantry_session *);
	static void StoreHost(const gantry_inst *, gantry_address *);
	static void Release(gantry_slice *);
	static int Setup(gantry_inst *);

	std::condition_variable changed_;
	std::vector<HeldSend> held_sends_;
	std::vector<HeldPull> held_pulls_;
	std::vector<HeldCall> held_calls_;
	std::vector<uint64_t> offsets_;
	std::vector<uint8_t> bytes_;
	std::deque<std::vector<gantry_slice>> slices_; // of each answered pull
	std::vector<std::string> kept_;                // bodies that held calls borrowed
};

#endif
