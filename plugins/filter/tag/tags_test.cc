// SPDX-License-Identifier: Apache-2.0
// Tag expressions.
#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "message/properties.h"
#include "tags.h"

namespace
{

int64_t code(const std::string &tag)
{
	return message_tags_code({tag.data(), tag.size()});
}

struct Filter {
	gantry_filter *filter = nullptr;
	int status;
	char why[64] = "";

	explicit Filter(const std::string &expression)
	{
		status = tags_compile({expression.data(), expression.size()}, &filter, why,
				      sizeof(why));
	}
	~Filter()
	{
		tags_free(filter);
	}
	bool takes(const std::string &tag) const
	{
		return tags_match(filter, code(tag));
	}
};

TEST(Tags, StarAndNothingTakeEveryMessage)
{
	for (const char *expression : {"*", ""}) {
		Filter f(expression);
		ASSERT_EQ(f.status, 0);
		EXPECT_TRUE(f.takes("a"));
		EXPECT_TRUE(f.takes(""));
	}
}

TEST(Tags, AListTakesItsTags)
{
	Filter f(" TagA||TagB  ||\tpolygenelubricants|| ");
	ASSERT_EQ(f.status, 0);
	EXPECT_TRUE(f.takes("TagA"));
	EXPECT_TRUE(f.takes("TagB"));
	EXPECT_TRUE(f.takes("polygenelubricants")); /* its hash is INT_MIN */
	EXPECT_FALSE(f.takes("TagC"));
	EXPECT_FALSE(f.takes(""));
}

TEST(Tags, ManyTags)
{
	std::string expression;
	for (int i = 0; i < 1000; i++)
		expression += "||tag-" + std::to_string(i * 2);
	Filter f(expression);
	ASSERT_EQ(f.status, 0);
	for (int i = 0; i < 1000; i++) {
		EXPECT_TRUE(f.takes("tag-" + std::to_string(i * 2)));
		EXPECT_FALSE(f.takes("tag-" + std::to_string(i * 2 + 1)));
	}
}

TEST(Tags, BlankTagsTakeNothing)
{
	Filter f("  ");
	ASSERT_EQ(f.status, 0);
	EXPECT_FALSE(f.takes("a"));
	EXPECT_FALSE(f.takes(""));
}

TEST(Tags, OnlyBarsAreRefused)
{
	for (const char *expression : {"||", "||||"}) {
		Filter f(expression);
		EXPECT_EQ(f.status, -EINVAL);
		EXPECT_STREQ(f.why, "subString split error");
		EXPECT_EQ(f.filter, nullptr);
	}
}

TEST(Tags, StarAmongOthersIsATag)
{
	Filter f("*||TagA");
	ASSERT_EQ(f.status, 0);
	EXPECT_TRUE(f.takes("TagA"));
	EXPECT_TRUE(f.takes("*"));
	EXPECT_FALSE(f.takes("TagB"));
}

} // namespace
