/* SPDX-License-Identifier: Apache-2.0 */
#include "kv.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "../../../tests/support/bare_instance.h"
#include "call/fields.h"

namespace
{

class Kv : public ::testing::Test
{
      protected:
	Kv()
	    : kernel_({{"role-test", bare::Entry}}, ""),
	      path_(kernel_.files().path() + "/kvConfig.json")
	{
		conf_.kvConfigPath = path_.c_str();
		conf_.maxKvEntries = 4; // a namespace, and three values
		namesrv_.inst = bare::instance;
		namesrv_.conf = &conf_;
		Open();
	}
	~Kv() override
	{
		Close();
	}
	void Open()
	{
		ASSERT_EQ(ns_kv_new(&namesrv_, &kv_), 0);
		EXPECT_EQ(ns_kv_load(kv_), 0);
	}
	void Close()
	{
		EXPECT_EQ(kernel_.Do([&](struct gantry_op *op) { return ns_kv_close(kv_, op); }),
			  0);
		ns_kv_free(kv_);
	}
	int Put(const char *space, const char *key, const std::string &value)
	{
		return ns_kv_put(kv_, str_of(space), str_of(key), str_of(value.c_str()));
	}
	std::string Get(const char *space, const char *key)
	{
		char *value = ns_kv_get(kv_, str_of(space), str_of(key));
		std::string text = value ? value : "(none)";

		free(value);
		return text;
	}
	std::string List(const char *space)
	{
		char *text;
		size_t size;

		if (ns_kv_list(kv_, str_of(space), &text, &size))
			return "(none)";
		std::string result(text, size);
		free(text);
		return result;
	}

	TestKernel kernel_;
	std::string path_;
	struct namesrv_conf conf_ = {};
	struct namesrv namesrv_ = {};
	struct ns_kv *kv_ = nullptr;
};

TEST_F(Kv, WhatIsPutIsFoundInItsNamespaceOnly)
{
	EXPECT_EQ(Put("a", "k", "v"), 0);
	EXPECT_EQ(Get("a", "k"), "v");
	EXPECT_EQ(Get("b", "k"), "(none)");
	EXPECT_EQ(Put("a", "k", "w"), 0);
	EXPECT_EQ(Get("a", "k"), "w");
	EXPECT_EQ(List("a"), R"({"table":{"k":"w"}})");
	EXPECT_EQ(List("b"), "(none)");
	ns_kv_delete(kv_, str_of("a"), str_of("k"));
	EXPECT_EQ(Get("a", "k"), "(none)");
}

TEST_F(Kv, IsKeptInJavasFile)
{
	Put("a", "k", "v");
	Put("b", "l", "line\n\"quoted\"");
	Close();
	EXPECT_EQ(kernel_.files().Read("kvConfig.json"),
		  R"({"configTable":{"a":{"k":"v"},"b":{"l":"line\n\"quoted\""}}})");
	Open();
	EXPECT_EQ(Get("a", "k"), "v");
	EXPECT_EQ(Get("b", "l"), "line\n\"quoted\"");
}

TEST_F(Kv, AnEmptiedNamespaceStays)
{
	Put("a", "k", "v");
	Put("b", "k", "v");
	ns_kv_delete(kv_, str_of("a"), str_of("k"));
	EXPECT_EQ(List("a"), R"({"table":{}})");
	Close();
	EXPECT_EQ(kernel_.files().Read("kvConfig.json"),
		  R"({"configTable":{"a":{},"b":{"k":"v"}}})");
	Open();
	EXPECT_EQ(List("a"), R"({"table":{}})");
}

TEST_F(Kv, HasLimits)
{
	EXPECT_EQ(Put("a", "1", ""), 0);
	EXPECT_EQ(Put("a", "2", ""), 0);
	EXPECT_EQ(Put("a", "3", ""), 0);
	EXPECT_EQ(Put("a", "4", ""), -ENOSPC);
	EXPECT_EQ(Put("a", "3", std::string(2 << 20, 'x')), -ENOSPC);
	EXPECT_EQ(Get("a", "3"), "");
	EXPECT_EQ(Put(std::string(2000, 'n').c_str(), "k", ""), -EINVAL);
}

} // namespace
