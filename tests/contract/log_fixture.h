/* SPDX-License-Identifier: Apache-2.0 */
/* A log of a storage engine, as its tests use it. */
#ifndef CONTRACT_LOG_FIXTURE_H
#define CONTRACT_LOG_FIXTURE_H

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "world.h"

/* An engine, in one of the ways in which it writes. */
struct Engine {
	const char *name; /* of the way: the tests' suffix */
	const char *plugin;
	const char *keys; /* of its section */
};

extern const std::vector<Engine> file_engines; /* those that users choose: over lib/segments */
extern const std::vector<Engine> every_engine; /* and the slow one */

std::string section(const Engine &engine);
void PrintTo(const Engine &engine, std::ostream *os);

#define OVER_ENGINES(suite, list)                                                                  \
	INSTANTIATE_TEST_SUITE_P(Engines, suite, testing::ValuesIn(list),                          \
				 [](auto &info) { return std::string(info.param.name); })

struct Shape {
	uint64_t segment_bytes = 64 * 1024;
	uint64_t start = 0;
	uint32_t flags = 0;
	std::vector<std::string> directories;
};

class Log
{
      public:
	Log(World &world, const Engine &engine);
	~Log();

	int open(const Shape &shape);
	void close();
	gantry_bounds bounds() const;
	uint64_t end() const
	{
		return bounds().end;
	}
	/* Through windows, over segments' ends; the first error. */
	int write(const std::string &bytes);
	/* Waits for cold reads. */
	int read(uint64_t at, uint64_t max, gantry_slice *ret);
	std::string text(uint64_t at, uint64_t max);
	/* Everything from at to the end. */
	std::string all(uint64_t at);
	int sync();

	const gantry_log_ops *ops;
	gantry_log *log = nullptr;
	gantry_inst *inst;

      private:
	World &world_;
};

/* Bytes that tell where they stand. */
std::string pattern(uint64_t at, size_t size);
std::string name_of(uint64_t start); /* 20 digits */
std::string file_text(const std::string &path);
void make_file(const std::string &path, const std::string &head, uint64_t size);
std::vector<std::string> names_in(const std::string &directory);

#endif
