/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong arguments: every command says what is wrong, and ends with the documented code. */
#include "run_test.h"

namespace
{

Result run(std::vector<std::string> words)
{
	static const cli_command *const table[] = {&cli_send,   &cli_consume, &cli_bench,
						   &cli_plugin, &cli_store,   nullptr};
	return run_words(table, std::move(words));
}

struct Wrong {
	std::vector<std::string> words;
	std::string said;
};

} // namespace

class WrongUsage : public testing::TestWithParam<Wrong>
{
};

TEST_P(WrongUsage, IsSaidWithExitCode2)
{
	Result result = run(GetParam().words);
	EXPECT_EQ(result.code, CLI_USAGE) << result.err;
	EXPECT_TRUE(holds(result.err, GetParam().said)) << result.err;
	EXPECT_TRUE(holds(result.err, "--help")) << result.err;
	EXPECT_EQ(result.out, "");
}

INSTANTIATE_TEST_SUITE_P(
	Cli, WrongUsage,
	testing::Values(Wrong{{"sned"}, "no command sned"}, Wrong{{"send"}, "-t TOPIC is missing"},
			Wrong{{"send", "--colour"}, "--colour"},
			Wrong{{"send", "-t", "T", "--output", "xml", "x"}, "not xml"},
			Wrong{{"send", "-t", "T", "a", "b"}, "b is too much"},
			Wrong{{"send", "-t", "T", ""}, "body is empty"},
			Wrong{{"send", "-t", "T", "--count", "0", "x"}, "--count is 0"},
			Wrong{{"send", "-t", "T", "--count", "many", "x"}, "many"},
			Wrong{{"send", "-t", "T", "-p", "novalue", "x"}, "NAME=VALUE"},
			Wrong{{"send", "-t", "T", "-p", "a=b\x01", "x"}, "NAME=VALUE"},
			Wrong{{"consume"}, "-t TOPIC is missing"},
			Wrong{{"consume", "-t", "T", "--from", "middle"}, "--from is middle"},
			Wrong{{"consume", "-t", "T", "--timeout", "-1"}, "--timeout"},
			Wrong{{"consume", "-t", "T", "more"}, "what is more"},
			Wrong{{"bench", "--mode", "fast"}, "--mode is fast"},
			Wrong{{"bench", "--connections", "0"}, "--connections is 0"},
			Wrong{{"bench", "-c", "10000", "-f", "65536"},
			      "--connections times --in-flight"},
			Wrong{{"bench", "--size", "99999999"}, "--size is 99999999"},
			Wrong{{"bench", "--mode", "latency", "--size", "8"}, "--size is 8"},
			Wrong{{"bench", "--duration", "0"}, "--duration"},
			Wrong{{"bench", "--pid", "2147483647"}, "no process"}));

TEST(Cli, ListsItsCommandsAndExitCodes)
{
	Result result = run({"--help"});
	EXPECT_EQ(result.code, CLI_DONE);
	for (const char *part : {"send", "consume", "bench", "plugin", "Exit codes:"})
		EXPECT_TRUE(holds(result.out, part)) << part;
	EXPECT_EQ(run({}).code, CLI_USAGE) << "no command is no success";
}

TEST(Cli, SaysWhichNameServerDoesNotAnswer)
{
	Result result = run({"send", "-n", "127.0.0.1:1;nonsense", "-t", "T", "x"});
	EXPECT_EQ(result.code, CLI_UNREACHABLE);
	EXPECT_TRUE(holds(result.err, "127.0.0.1:1")) << result.err;
	EXPECT_TRUE(holds(result.err, "nonsense: not HOST:PORT")) << result.err;
}

TEST(Cli, SaysWhichBrokerDoesNotAnswer)
{
	Result result = run({"bench", "-b", "127.0.0.1:1", "--duration", "1"});
	EXPECT_EQ(result.code, CLI_UNREACHABLE);
	EXPECT_TRUE(holds(result.err, "broker 127.0.0.1:1")) << result.err;
}
