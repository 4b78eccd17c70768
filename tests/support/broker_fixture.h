/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the broker's control side: a real kernel that runs a broker's tables, without store,
 * sender and puller; connections that write down what is pushed to them; a filter that counts. */
#ifndef TESTS_SUPPORT_BROKER_FIXTURE_H
#define TESTS_SUPPORT_BROKER_FIXTURE_H

#include <gantry/filter.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "bare_instance.h"
#include "broker.h"
#include "call/fields.h"
#include "clients/clients.h"
#include "groups/groups.h"
#include "balance/locks.h"
#include "balance/modes.h"
#include "offsets/offsets.h"
#include "parts.h"
#include "topics/topics.h"

namespace control
{

using bare::instance;

inline std::atomic<int> filters; /* compiled and not freed */

/* A filter of type TAG: "bad" cannot be compiled. */
inline int Compile(struct gantry_inst *, struct gantry_str expression, struct gantry_filter **ret,
		   char *why, size_t why_size)
{
	if (str_is(expression, "bad")) {
		snprintf(why, why_size, "it is bad");
		return -EINVAL;
	}
	filters++;
	*ret = reinterpret_cast<struct gantry_filter *>(new int(0));
	return 0;
}

inline void FreeFilter(struct gantry_filter *filter)
{
	filters--;
	delete reinterpret_cast<int *>(filter);
}

inline const struct gantry_plugin *Entry()
{
	static struct gantry_lifecycle life = bare::Life();
	static struct gantry_filter_ops ops = {};
	static struct gantry_service offers[2] = {};
	static struct gantry_plugin self = bare::Plugin(&life);

	ops.size = sizeof(ops);
	ops.compile = Compile;
	ops.free = FreeFilter;
	offers[0].kind = GANTRY_FILTER;
	offers[0].name = "TAG";
	offers[0].ops = &ops;
	life.conf_size = sizeof(struct broker_conf);
	self.offers = offers;
	self.keys = broker_keys;
	return &self;
}

/* A connected client. */
struct Session {
	static Session *Of(struct gantry_session *session)
	{
		return reinterpret_cast<Session *>(session);
	}
	static int Push(struct gantry_session *session, const struct gantry_push *push)
	{
		std::string line = std::to_string(push->code);

		for (uint32_t i = 0; i < push->field_count; i++)
			line += " " +
				std::string(push->fields[i].name.at, push->fields[i].name.size) +
				"=" +
				std::string(push->fields[i].value.at, push->fields[i].value.size);
		std::lock_guard<std::mutex> guard(Of(session)->lock);
		Of(session)->pushes.push_back(line);
		return 0;
	}
	static void Hold(struct gantry_session *session)
	{
		Of(session)->held++;
	}
	static void Release(struct gantry_session *session)
	{
		Of(session)->held--;
	}
	static void Close(struct gantry_session *session)
	{
		Of(session)->closed++;
	}
	Session()
	{
		ops.size = sizeof(ops);
		ops.push = Push;
		ops.hold = Hold;
		ops.release = Release;
		ops.close = Close;
		base.ops = &ops;
		base.peer.ip_size = 4;
		base.peer.ip[0] = 10;
		base.peer.port = 4711;
	}
	/* What was pushed since the last call. */
	std::vector<std::string> Taken()
	{
		std::lock_guard<std::mutex> guard(lock);
		std::vector<std::string> taken;

		taken.swap(pushes);
		return taken;
	}
	struct gantry_session base = {};
	struct gantry_session_ops ops = {};
	std::mutex lock;
	std::vector<std::string> pushes;
	std::atomic<int> held{0}, closed{0};
};

class Broker : public ::testing::Test
{
      protected:
	explicit Broker(const std::string &keys = "")
	    : kernel_({{"role-test", Entry}}, "brokerName=broker-a\nbrokerClusterName=C\n" + keys +
						      "\nstorePathRootDir=" + folder_.path() +
						      "/store\n")
	{
		conf_ = *static_cast<const struct broker_conf *>(gantry_conf(instance));
		Open();
	}
	~Broker() override
	{
		Close();
		EXPECT_EQ(filters, 0);
	}
	void Open()
	{
		ASSERT_EQ(broker_new(instance, &conf_, &broker_), 0);
		broker_->leads = BROKER_LEADS; // there is no store that would say so
	}
	/* Writes everything, as stopping does. */
	void Close()
	{
		if (!broker_)
			return;
		auto close = [&](const std::function<int(struct gantry_op *)> &act) {
			EXPECT_EQ(kernel_.Do(act), 0);
		};
		close([&](struct gantry_op *op) { return topics_close(broker_->topics, op); });
		close([&](struct gantry_op *op) { return groups_close(broker_->groups, op); });
		close([&](struct gantry_op *op) { return offsets_close(broker_->offsets, op); });
		close([&](struct gantry_op *op) { return modes_close(broker_->modes, op); });
		broker_free(broker_);
		broker_ = nullptr;
	}
	std::string ReadConfig(const std::string &name) const
	{
		return folder_.Read("store/config/" + name);
	}
	/* Puts a file where the broker looks for it. */
	void WriteConfig(const std::string &name, const std::string &text) const
	{
		mkdir((folder_.path() + "/store").c_str(), 0755);
		mkdir((folder_.path() + "/store/config").c_str(), 0755);
		folder_.Write("store/config/" + name, text);
	}
	static std::string Sample(const std::string &name)
	{
		std::ifstream in(std::string(TESTDATA "/") + name);
		std::stringstream text;

		text << in.rdbuf();
		return text.str();
	}
	/* The text that make writes, or why there is none. */
	static std::string Take(const std::function<int(char **, size_t *)> &make)
	{
		char *text = nullptr;
		size_t size = 0;
		int err = make(&text, &size);

		if (err)
			return strerror(-err);
		std::string taken(text, size);

		free(text);
		return taken;
	}

	TempFolder folder_;
	TestKernel kernel_;
	struct broker_conf conf_;
	struct broker *broker_ = nullptr;
};

} // namespace control

#endif
