/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of replication modes have in common: a world with an engine, a mode, a client. */
#ifndef CONTRACT_DOOR_CONTRACT_H
#define CONTRACT_DOOR_CONTRACT_H

#include <cerrno>

#include "client.h"
#include "doubles.h"
#include "log_fixture.h"
#include "slow_engine.h"

constexpr uint64_t SEGMENT = 64 * 1024;

inline std::string sections(const Engine &engine, const std::string &mode,
			    const std::string &keys = "")
{
	/* Tests run beside each other: those that serve slaves say on which port. */
	bool serves = keys.find("haListenPort") != std::string::npos;
	std::string closed =
		mode == "replication-async" && !serves ? "haServeSlaves = false\n" : "";

	return section(engine) + "[plugin " + mode + "]\n" + closed + keys;
}

class ModeTest : public testing::TestWithParam<Engine>
{
      protected:
	std::string engine() const
	{
		return GetParam().plugin;
	}
	bool slow() const
	{
		return engine() == "storage-slow";
	}

	Folder folder;
};

#define OVER_EVERY_ENGINE(test) OVER_ENGINES(test, every_engine)

/* Tests that tell the slow engine what to do. */
#define WITH_A_SCRIPT(test) OVER_ENGINES(test, std::vector<Engine>{every_engine.back()})

#endif
