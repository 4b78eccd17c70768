/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_test.h"

#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

constexpr int64_t noon = 1769860800123456; /* 2026-01-31T12:00:00.123456Z */

std::string line(gk_log_form form, const std::string &text, const char *role = nullptr,
		 const char *name = nullptr, int level = GANTRY_LOG_WARNING)
{
	char out[GK_LOG_LINE_MAX];
	return std::string(out, gk_log_format(out, form, noon, level, role, name, text.c_str()));
}

TEST(Log, TextNamesTimeLevelAndSource)
{
	EXPECT_EQ("2026-01-31T12:00:00.123Z warning broker/storage-mmap: full\n",
		  line(GK_LOG_TEXT, "full", "broker", "storage-mmap"));
	EXPECT_EQ("2026-01-31T12:00:00.123Z info    gantryd: ready\n",
		  line(GK_LOG_TEXT, "ready", nullptr, nullptr, GANTRY_LOG_INFO));
}

TEST(Log, JournalLinesCarryThePriority)
{
	EXPECT_EQ("<3>broker/storage-mmap: full\n",
		  line(GK_LOG_JOURNAL, "full", "broker", "storage-mmap", GANTRY_LOG_ERROR));
}

TEST(Log, JsonIsAnObjectALine)
{
	EXPECT_EQ("{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"error\",\"role\":\"broker\","
		  "\"source\":\"storage-mmap\",\"message\":\"say \\\"no\\\" \\\\ \\n\\u0001\"}\n",
		  line(GK_LOG_JSON, "say \"no\" \\ \n\x01", "broker", "storage-mmap",
		       GANTRY_LOG_ERROR));
	EXPECT_EQ("{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"debug\","
		  "\"source\":\"gantryd\",\"message\":\"\"}\n",
		  line(GK_LOG_JSON, "", nullptr, nullptr, GANTRY_LOG_DEBUG));
}

TEST(Log, ControlCharactersCannotForgeLines)
{
	EXPECT_EQ("<4>gantryd: a\\nb\\tc\\x1b[2J\\x7f\\x9b\n",
		  line(GK_LOG_JOURNAL, "a\nb\tc\x1b[2J\x7f\xc2\x9b"));
	EXPECT_EQ("<4>gantryd: K\xc3\xb6ln \xe4\xb8\xad\n",
		  line(GK_LOG_JOURNAL, "K\xc3\xb6ln \xe4\xb8\xad"));
}

TEST(Log, BytesThatAreNotUtf8AreShown)
{
	EXPECT_EQ("<4>gantryd: \\xff\\xc3!\n", line(GK_LOG_JOURNAL, "\xff\xc3!"));
	std::string json = line(GK_LOG_JSON, "\xff!");
	EXPECT_NE(std::string::npos, json.find("\"message\":\"\\ufffd!\"")) << json;
}

TEST(Log, ALongLineIsCutBetweenCharacters)
{
	std::string umlauts;
	while (umlauts.size() < 2 * GK_LOG_LINE_MAX)
		umlauts += "\xc3\xb6";
	std::string text = line(GK_LOG_JOURNAL, umlauts);
	EXPECT_LE(text.size(), static_cast<size_t>(GK_LOG_LINE_MAX));
	EXPECT_GE(text.size(), static_cast<size_t>(GK_LOG_LINE_MAX - 2));
	EXPECT_TRUE(g_utf8_validate(text.c_str(), static_cast<gssize>(text.size()), nullptr));
	EXPECT_EQ('\n', text.back());
	std::string quotes(2 * GK_LOG_LINE_MAX, '"');
	std::string json = line(GK_LOG_JSON, quotes);
	EXPECT_LE(json.size(), static_cast<size_t>(GK_LOG_LINE_MAX));
	EXPECT_EQ("\\\"\"}\n", json.substr(json.size() - 5));
}

TEST(Log, TheLevelIsTestedBeforeAnythingElse)
{
	int asked = 0;
	auto costly = [&] { return ++asked; };
	testing::internal::CaptureStderr();
	gk_log_setup(GANTRY_LOG_WARNING, GK_LOG_TEXT);
	gantry_log(nullptr, INFO, "never %d", costly());
	gantry_log(nullptr, WARNING, "once %d", costly());
	gk_log_setup(GANTRY_LOG_INFO, GK_LOG_TEXT);
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_EQ(1, asked);
	EXPECT_EQ(std::string::npos, log.find("never")) << log;
	EXPECT_NE(std::string::npos, log.find("once 1")) << log;
}

TEST(Log, KeepsErrno)
{
	testing::internal::CaptureStderr();
	errno = ENOSPC;
	gantry_log(nullptr, ERROR, "it says %m");
	EXPECT_EQ(ENOSPC, errno);
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("No space left on device")) << log;
}

TEST(Log, ALimitLetsOneThroughAndCountsTheRest)
{
	gantry_log_limit limit = {};
	testing::internal::CaptureStderr();
	for (int i = 0; i < 100; i++)
		gantry_log_limited(nullptr, &limit, WARNING, "line %d", i);
	__atomic_store_n(&limit.next_ms, 1, __ATOMIC_RELAXED); /* the second has passed */
	gantry_log_limited(nullptr, &limit, WARNING, "line %d", 100);
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_NE(std::string::npos, log.find("line 0\n")) << log;
	EXPECT_EQ(std::string::npos, log.find("line 1\n")) << log;
	EXPECT_NE(std::string::npos, log.find("99 lines like the next were left out")) << log;
	EXPECT_NE(std::string::npos, log.find("line 100\n")) << log;
}

TEST(Log, KnowsTheJournalByItsStream)
{
	testing::internal::CaptureStderr();
	struct stat at;
	ASSERT_EQ(0, fstat(STDERR_FILENO, &at));
	std::string stream = std::to_string(at.st_dev) + ":" + std::to_string(at.st_ino);
	setenv("JOURNAL_STREAM", stream.c_str(), 1);
	gk_log_setup(GANTRY_LOG_INFO, GK_LOG_TEXT);
	gantry_log(nullptr, NOTICE, "to the journal");
	setenv("JOURNAL_STREAM", "1:1", 1);
	gk_log_setup(GANTRY_LOG_INFO, GK_LOG_TEXT);
	gantry_log(nullptr, NOTICE, "to a file");
	unsetenv("JOURNAL_STREAM");
	std::string log = testing::internal::GetCapturedStderr();
	EXPECT_EQ(0u, log.find("<5>gantryd: to the journal\n2")) << log;
}

} // namespace
