/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of commands: one runs as if its words had been typed, and what it prints is kept. */
#ifndef CLI_RUN_TEST_H
#define CLI_RUN_TEST_H

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cli.h"

struct Result {
	int code;
	std::string out, err;
};

/* table ends with NULL; words do not begin with the program's name. */
inline Result run_words(const cli_command *const *table, std::vector<std::string> words)
{
	std::vector<char *> argv;

	words.insert(words.begin(), "gantry");
	for (std::string &word : words)
		argv.push_back(word.data());
	argv.push_back(nullptr);
	testing::internal::CaptureStdout();
	testing::internal::CaptureStderr();
	int code = cli_dispatch("gantry", "about", table, (int)words.size(), argv.data());
	fflush(stdout);
	return {code, testing::internal::GetCapturedStdout(),
		testing::internal::GetCapturedStderr()};
}

inline bool holds(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

#endif
