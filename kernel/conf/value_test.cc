// SPDX-License-Identifier: Apache-2.0
// Typed values: what each type takes, what it refuses and with which words.
#include "conf/test.h"

#include <pwd.h>
#include <unistd.h>

namespace
{

const char *const roles[] = {"ASYNC_MASTER", "SYNC_MASTER", "SLAVE", nullptr};

gantry_conf_item item(unsigned type, int64_t min = 0, int64_t max = 0, unsigned flags = 0)
{
	gantry_conf_item item = {};

	item.key = "k";
	item.type = static_cast<uint16_t>(type);
	item.flags = static_cast<uint16_t>(flags);
	item.min = min;
	item.max = max;
	item.choices = roles;
	return item;
}

class ConfValue : public ConfTest
{
      protected:
	// the problem, or ""
	std::string parse(const gantry_conf_item &of, const char *text)
	{
		const char *problem = gk_value_parse(conf, &of, text, &value);

		return problem ? problem : "";
	}
	int64_t number(const gantry_conf_item &of, const char *text)
	{
		value = {};
		EXPECT_EQ(parse(of, text), "") << text;
		return value.number;
	}
	std::string expected(const gantry_conf_item &of)
	{
		g_autoptr(GString) text = g_string_new(nullptr);

		gk_value_expect(&of, text);
		return text->str;
	}

	gk_value value = {};
};

TEST_F(ConfValue, Booleans)
{
	gantry_conf_item of = item(GANTRY_CONF_BOOL);

	EXPECT_EQ(number(of, "true"), 1);
	EXPECT_EQ(number(of, "TRUE"), 1);
	EXPECT_EQ(number(of, "False"), 0);
	EXPECT_EQ(parse(of, "yes"), "is neither");
	EXPECT_EQ(parse(of, "1"), "is neither");
	EXPECT_EQ(parse(of, ""), "is empty");
	EXPECT_EQ(expected(of), "true or false");
}

TEST_F(ConfValue, Integers)
{
	gantry_conf_item any = item(GANTRY_CONF_INT), port = item(GANTRY_CONF_INT, 1, 65535);

	EXPECT_EQ(number(any, "-9223372036854775808"), INT64_MIN);
	EXPECT_EQ(number(any, "9223372036854775807"), INT64_MAX);
	EXPECT_EQ(number(any, "+5"), 5);
	EXPECT_EQ(number(any, "04"), 4);
	EXPECT_EQ(number(any, "-0"), 0);
	EXPECT_EQ(parse(any, "9223372036854775808"), "is out of range");
	EXPECT_EQ(parse(any, "-9223372036854775809"), "is out of range");
	EXPECT_EQ(parse(any, "99999999999999999999999999"), "is out of range");
	for (const char *text :
	     {"x", "1x", "1.5", "1e3", "0x10", "--1", "+-1", "+", "-", "1 2", "1k"})
		EXPECT_EQ(parse(any, text), "is not a number") << text;
	EXPECT_EQ(parse(any, ""), "is empty");
	EXPECT_EQ(parse(port, "0"), "is out of range");
	EXPECT_EQ(parse(port, "65536"), "is out of range");
	EXPECT_EQ(number(port, "65535"), 65535);
}

TEST_F(ConfValue, WhatIntegersExpect)
{
	gantry_conf_item queues = item(GANTRY_CONF_INT, 1, 65535);

	queues.unit = "queues";
	EXPECT_EQ(expected(queues), "a whole number from 1 to 65535 (queues)");
	EXPECT_EQ(expected(item(GANTRY_CONF_INT)), "a whole number");
	EXPECT_EQ(expected(item(GANTRY_CONF_INT, 1, INT64_MAX)), "a whole number of at least 1");
	EXPECT_EQ(expected(item(GANTRY_CONF_INT, INT64_MIN, 7)), "a whole number of at most 7");
	EXPECT_EQ(expected(item(GANTRY_CONF_INT, -1, 7)), "a whole number from -1 to 7");
}

TEST_F(ConfValue, Sizes)
{
	gantry_conf_item of = item(GANTRY_CONF_SIZE);

	EXPECT_EQ(number(of, "1073741824"), 1 << 30);
	EXPECT_EQ(number(of, "4k"), 4096);
	EXPECT_EQ(number(of, "4K"), 4096);
	EXPECT_EQ(number(of, "16m"), 16 << 20);
	EXPECT_EQ(number(of, "3g"), INT64_C(3) << 30);
	EXPECT_EQ(number(of, "8589934591g"), INT64_C(8589934591) << 30);
	EXPECT_EQ(parse(of, "8589934592g"), "is out of range");
	EXPECT_EQ(parse(of, "17179869185g"), "is out of range"); // 1g modulo 2^64
	EXPECT_EQ(parse(of, "-1"), "is out of range");
	EXPECT_EQ(number(item(GANTRY_CONF_SIZE, -1, 100), "-1"), -1);
	for (const char *text : {"4kb", "4t", "4 k", "k", "4s", "4.5m"})
		EXPECT_EQ(parse(of, text), "is not a number") << text;
	EXPECT_EQ(expected(item(GANTRY_CONF_SIZE, 4096, 1 << 30)),
		  "a size from 4k to 1g: bytes, or with k, m or g");
	EXPECT_EQ(expected(of), "a size of at least 0: bytes, or with k, m or g");
}

TEST_F(ConfValue, Durations)
{
	gantry_conf_item of = item(GANTRY_CONF_DURATION);

	EXPECT_EQ(number(of, "1500"), 1500);
	EXPECT_EQ(number(of, "1500ms"), 1500);
	EXPECT_EQ(number(of, "5s"), 5000);
	EXPECT_EQ(number(of, "2m"), 120000);
	EXPECT_EQ(number(of, "1H"), 3600000);
	EXPECT_EQ(number(of, "3d"), 259200000);
	EXPECT_EQ(parse(of, "106751991168d"), "is out of range");
	for (const char *text : {"5sec", "5k", "s", "5 s"})
		EXPECT_EQ(parse(of, text), "is not a number") << text;
	EXPECT_EQ(expected(item(GANTRY_CONF_DURATION, 1, 90000)),
		  "a time from 1ms to 90s: milliseconds, or with ms, s, m, h or d");
}

TEST_F(ConfValue, Choices)
{
	gantry_conf_item of = item(GANTRY_CONF_ENUM);

	EXPECT_EQ(number(of, "ASYNC_MASTER"), 0);
	EXPECT_EQ(number(of, "slave"), 2);
	EXPECT_EQ(parse(of, "MASTER"), "is none of them");
	EXPECT_EQ(parse(of, ""), "is empty");
	EXPECT_EQ(expected(of), "ASYNC_MASTER, SYNC_MASTER or SLAVE");
}

TEST_F(ConfValue, TextsAreTakenAsTheyAre)
{
	EXPECT_EQ(parse(item(GANTRY_CONF_STRING), "~/${HOME} $HOME"), "");
	EXPECT_STREQ(value.text, "~/${HOME} $HOME");
	EXPECT_EQ(parse(item(GANTRY_CONF_STRING), ""), "");
	EXPECT_STREQ(value.text, "");
}

TEST_F(ConfValue, PathsBeginAtHome)
{
	gantry_conf_item of = item(GANTRY_CONF_PATH);
	const struct {
		const char *text, *path;
	} rows[] = {
		{"~", "/h"},
		{"~/store", "/h/store"},
		{"$HOME/store", "/h/store"},
		{"${HOME}", "/h"},
		{"${HOME}/a", "/h/a"},
		{"~user/x", "~user/x"},
		{"$HOMES/x", "$HOMES/x"},
		{"/a/~/$HOME/${HOME}", "/a/~/$HOME/${HOME}"},
		{"${ROCKETMQ_HOME}/x", "${ROCKETMQ_HOME}/x"},
		{"store", "store"},
		{"./store", "./store"},
	};
	std::string before = getenv("HOME") ? getenv("HOME") : "";

	setenv("HOME", "/h", 1);
	for (auto &row : rows) {
		EXPECT_EQ(parse(of, row.text), "") << row.text;
		EXPECT_STREQ(value.text, row.path) << row.text;
	}
	setenv("HOME", before.c_str(), 1);
	EXPECT_EQ(parse(of, ""), "");
	EXPECT_EQ(value.text, nullptr);
}

TEST_F(ConfValue, JavasHomeIsTheUsers)
{
	const passwd *user = getpwuid(getuid());

	if (!user || strlen(user->pw_dir) < 3)
		GTEST_SKIP() << "this user has no home directory";
	EXPECT_EQ(parse(item(GANTRY_CONF_PATH), "${user.home}/store"), "");
	EXPECT_EQ(value.text, std::string(user->pw_dir) + "/store");
}

TEST_F(ConfValue, Addresses)
{
	gantry_conf_item of = item(GANTRY_CONF_ADDRESS);

	for (const char *text : {"127.0.0.1:9876", "rocketmq-nameserver1:9876", ":10911",
				 "[::1]:80", "[fe80::1:2]:0", "a_b.c-d:65535", ""})
		EXPECT_EQ(parse(of, text), "") << text;
	for (const char *text : {"127.0.0.1", "x", "[::1]", "::1"})
		EXPECT_NE(parse(of, text), "") << text;
	for (const char *text : {"a:", "a:x", "a:65536", "a:-1", "a:+1", "a:99999999999999999999"})
		EXPECT_EQ(parse(of, text), "has no port from 0 to 65535") << text;
	for (const char *text :
	     {"a b:1", "http://a:1", "::1:80", "n0-1.2.3.4;b:1", "\xe4\xb8\xad:1"})
		EXPECT_EQ(parse(of, text), "has no host name") << text;
	for (const char *text : {"[:1", "[]:1", "[x]:1", "[::1:1", "[1.2.3.4]:1"})
		EXPECT_EQ(parse(of, text), "has no IPv6 address between [ and ]") << text;
}

TEST_F(ConfValue, ListsTakeBothSeparators)
{
	gantry_conf_item of = item(GANTRY_CONF_ADDRESS, 0, 0, GANTRY_CONF_LIST);

	EXPECT_EQ(parse(of, "a:1;b:2 , c:3;; ,"), "");
	ASSERT_EQ(value.list.count, 3u);
	EXPECT_STREQ(value.list.at[0], "a:1");
	EXPECT_STREQ(value.list.at[1], "b:2");
	EXPECT_STREQ(value.list.at[2], "c:3");
	EXPECT_EQ(parse(of, "a:1;b"), "has no port");
	EXPECT_EQ(parse(of, " ; "), "");
	EXPECT_EQ(value.list.count, 0u);
	EXPECT_EQ(value.list.at, nullptr);
	EXPECT_EQ(expected(of), "addresses (HOST:PORT, [IPV6]:PORT or :PORT), separated by ; or ,");
}

TEST_F(ConfValue, SameValuesInOtherWords)
{
	const struct {
		gantry_conf_item of;
		const char *a, *b;
		bool same;
	} rows[] = {
		{item(GANTRY_CONF_SIZE), "1k", "1024", true},
		{item(GANTRY_CONF_SIZE), "1k", "1025", false},
		{item(GANTRY_CONF_BOOL), "TRUE", "true", true},
		{item(GANTRY_CONF_STRING), "a", "A", false},
		{item(GANTRY_CONF_STRING, 0, 0, GANTRY_CONF_LIST), "a;b", "a, b", true},
		{item(GANTRY_CONF_STRING, 0, 0, GANTRY_CONF_LIST), "a;b", "b;a", false},
		{item(GANTRY_CONF_STRING, 0, 0, GANTRY_CONF_LIST), "a;b", "a", false},
		{item(GANTRY_CONF_PATH), "", "/", false},
	};

	for (auto &row : rows) {
		gk_value a = {}, b = {};

		EXPECT_EQ(gk_value_parse(conf, &row.of, row.a, &a), nullptr);
		EXPECT_EQ(gk_value_parse(conf, &row.of, row.b, &b), nullptr);
		EXPECT_EQ(gk_value_same(&row.of, &a, &b), row.same) << row.a << " " << row.b;
	}
}

} // namespace
