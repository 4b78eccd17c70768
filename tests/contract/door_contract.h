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

inline std::string sections(const std::string &engine, const std::string &mode,
			    const std::string &keys = "")
{
	return "[plugin " + engine + "]\n[plugin " + mode + "]\n" + keys;
}

class ModeTest : public testing::TestWithParam<const char *>
{
      protected:
	std::string engine() const
	{
		return GetParam();
	}
	bool slow() const
	{
		return engine() == "storage-slow";
	}

	Folder folder;
};

#define OVER_BOTH_ENGINES(test)                                                                    \
	INSTANTIATE_TEST_SUITE_P(Engines, test, testing::Values("storage-mmap", "storage-slow"),   \
				 [](auto &info) { return std::string(info.param).substr(8); })

/* Tests that tell the slow engine what to do. */
#define WITH_A_SCRIPT(test)                                                                        \
	INSTANTIATE_TEST_SUITE_P(Engines, test, testing::Values("storage-slow"),                   \
				 [](auto &) { return "slow"; })

#endif
