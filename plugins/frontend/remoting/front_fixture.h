// SPDX-License-Identifier: Apache-2.0
// The front-end in a real kernel, before a recording role, and clients of it. Stands on
// tests/support/kernel_fixture.h, which the tests include before it.
#ifndef FRONT_FIXTURE_H
#define FRONT_FIXTURE_H

#include "recorder.h"
#include <remoting/test_wire.h>

#include <gantry/counter.h>
#include <memory>

extern "C" const gantry_plugin *gantry_plugin_frontend_remoting(void);

class FrontTest : public testing::Test
{
      protected:
	// keys: lines for the property file.
	void Start(const std::string &keys = "")
	{
		std::vector<gk_static_plugin> plugins = {
			{"role-recorder", Recorder::entry},
			{"frontend-remoting", gantry_plugin_frontend_remoting}};

		kernel.reset(
			new TestKernel(plugins, "listenPort=0\nbindAddress=127.0.0.1\n" + keys));
		ops = static_cast<const gantry_frontend_ops *>(
			gantry_find(role.inst, GANTRY_FRONTEND, nullptr, &front));
		port = ops->port(front);
	}
	Wire Connect(int receive_buffer = 0)
	{
		return Wire::Connect(port, receive_buffer);
	}
	uint64_t Counter(const std::string &name)
	{
		struct Search {
			std::string name;
			int64_t value;
		} search = {name, -1};

		gantry_counter_each(
			front,
			[](const char *, const char *found, const char *, int64_t value,
			   void *user) {
				auto *wanted = static_cast<Search *>(user);

				if (wanted->name == found)
					wanted->value = value;
			},
			&search);
		return uint64_t(search.value);
	}
	// A send as Java makes it.
	static Message Send(int32_t opaque, const std::string &body = "hello")
	{
		Message message;

		message.code = 310;
		message.opaque = opaque;
		message.fields = {
			{"a", "PG"},        {"b", "TopicTest"}, {"c", "TBW102"},        {"d", "4"},
			{"e", "3"},         {"f", "0"},         {"g", "1700000000000"}, {"h", "0"},
			{"i", "KEYS\1k\2"}, {"j", "0"},         {"k", "false"},         {"l", "16"},
			{"m", "false"},     {"n", "broker-a"}};
		message.body = body;
		return message;
	}
	static Message Pull(int32_t opaque)
	{
		Message message;

		message.code = 11;
		message.opaque = opaque;
		message.fields = {{"consumerGroup", "CG"},  {"topic", "TopicTest"},
				  {"queueId", "2"},         {"queueOffset", "12"},
				  {"maxMsgNums", "32"},     {"sysFlag", "3"},
				  {"commitOffset", "11"},   {"suspendTimeoutMillis", "15000"},
				  {"subscription", "*"},    {"subVersion", "1700000000000"},
				  {"expressionType", "TAG"}};
		return message;
	}
	static Message Call(int32_t code, int32_t opaque, const std::string &body = "")
	{
		Message message;

		message.code = code;
		message.opaque = opaque;
		message.body = body;
		return message;
	}

	Recorder role;
	std::unique_ptr<TestKernel> kernel;
	const gantry_frontend_ops *ops = nullptr;
	gantry_inst *front = nullptr;
	unsigned port = 0;
};

#endif
