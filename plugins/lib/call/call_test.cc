/* SPDX-License-Identifier: Apache-2.0 */
#include "call/changes.h"
#include "call/fields.h"
#include "call/reply.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

namespace
{

class Call : public ::testing::Test
{
      protected:
	void Field(const char *name, const char *value)
	{
		fields_.push_back({str_of(name), str_of(value)});
		call_.fields = fields_.data();
		call_.field_count = static_cast<uint32_t>(fields_.size());
	}

	std::vector<struct gantry_field> fields_;
	struct gantry_call call_ = {};
};

TEST_F(Call, AbsentFieldsGiveTheDefault)
{
	EXPECT_EQ(call_text(&call_, "topic").at, nullptr);
	EXPECT_EQ(call_int64(&call_, "n", -7), -7);
	EXPECT_TRUE(call_bool(&call_, "b", true));
}

TEST_F(Call, FieldsAreReadByTheirType)
{
	Field("topic", "T");
	Field("n", "-9223372036854775808");
	Field("i", "2147483647");
	Field("b", "TRUE");
	Field("c", "yes");
	int64_t n = 0;
	int32_t i = 0;
	EXPECT_TRUE(str_is(call_text(&call_, "topic"), "T"));
	EXPECT_EQ(call_need_int64(&call_, "n", &n), 0);
	EXPECT_EQ(n, INT64_MIN);
	EXPECT_EQ(call_need_int32(&call_, "i", &i), 0);
	EXPECT_EQ(i, INT32_MAX);
	EXPECT_TRUE(call_bool(&call_, "b", false));
	EXPECT_FALSE(call_bool(&call_, "c", true));
}

TEST_F(Call, AMissingFieldIsAnsweredAsJavaAnswersIt)
{
	struct gantry_str topic = str_of("untouched");

	EXPECT_EQ(call_need_text(&call_, "topic", &topic), -EINVAL);
	EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
	EXPECT_STREQ(call_.remark, "RemotingCommandException: the custom field <topic> is null");
	EXPECT_TRUE(str_is(topic, "untouched"));
}

TEST_F(Call, ANumberThatIsNoneIsRefused)
{
	int32_t n = 5;

	for (const char *text : {"", "x", "1x", "--1", "+", "2147483648", "-2147483649", " 1"}) {
		fields_.clear();
		Field("n", text);
		EXPECT_EQ(call_need_int32(&call_, "n", &n), -EINVAL) << text;
		EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
		EXPECT_EQ(n, 5);
	}
	int64_t wide;
	EXPECT_EQ(str_int64(str_of("9223372036854775808"), &wide), -ERANGE);
	EXPECT_EQ(str_int64(str_of("-9223372036854775809"), &wide), -ERANGE);
	EXPECT_EQ(str_int64(str_of("99999999999999999999"), &wide), -ERANGE);
}

TEST_F(Call, AnUnknownCodeGetsJavasText)
{
	call_.code = 4711;
	call_unknown(&call_);
	EXPECT_EQ(call_.ret_code, GANTRY_REQUEST_CODE_NOT_SUPPORTED);
	EXPECT_STREQ(call_.remark, " request type 4711 not supported");
}

TEST_F(Call, FieldsOfTheAnswerStandInItsOwnText)
{
	call_ok(&call_);
	call_reply_int(&call_, "offset", -1);
	call_reply_text(&call_, "name", str_of("N"));
	call_reply_static(&call_, "ok", "true");
	ASSERT_EQ(call_.ret_field_count, 3u);
	EXPECT_TRUE(str_is(call_.ret_fields[0].value, "-1"));
	EXPECT_TRUE(str_is(call_.ret_fields[1].value, "N"));
	EXPECT_TRUE(str_is(call_.ret_fields[2].value, "true"));
	EXPECT_EQ(call_.ret_code, GANTRY_SUCCESS);
}

TEST_F(Call, AnAnswerThatDoesNotFitIsAnError)
{
	std::string longer(2000, 'x');

	call_reply_text(&call_, "name", str_of(longer.c_str()));
	EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(call_.ret_field_count, 0u);
	call_ok(&call_);
	for (int i = 0; i < 17; i++)
		call_reply_static(&call_, "f", "v");
	EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
	EXPECT_EQ(call_.ret_field_count, 16u);
}

TEST_F(Call, ALongTextFindsRoom)
{
	std::string longer(5000, 'x');

	call_reply_long_text(&call_, "a", str_of("short"));
	call_reply_long_text(&call_, "b", str_of(longer.c_str()));
	ASSERT_EQ(call_.ret_field_count, 2u);
	EXPECT_TRUE(str_is(call_.ret_fields[0].value, "short"));
	EXPECT_TRUE(str_is(call_.ret_fields[1].value, longer.c_str()));
	EXPECT_EQ(call_.ret_body_size, 0u);
	free(call_.ret_body);
}

TEST_F(Call, ABodyBelongsToTheCall)
{
	call_reply_body(&call_, nullptr, 0);
	EXPECT_EQ(call_.ret_code, GANTRY_SYSTEM_ERROR);
	call_reply_body(&call_, strdup("{}"), 2);
	EXPECT_EQ(call_.ret_code, GANTRY_SUCCESS);
	EXPECT_EQ(call_.ret_body_size, 2u);
	free(call_.ret_body);
}

TEST(Changes, AreLinesOfProperties)
{
	std::string body = "# a=0\na = 1 \r\n\nb:two\\ \n c\t3\nd";
	struct call_changes *changes = nullptr;

	ASSERT_EQ(call_changes_read({body.data(), body.size()}, &changes), 0);
	ASSERT_EQ(changes->count, 4u);
	EXPECT_STREQ(changes->list[0].key, "a");
	EXPECT_STREQ(changes->list[0].value, "1");
	EXPECT_STREQ(changes->list[1].value, "two ");
	EXPECT_STREQ(changes->list[2].value, "3");
	EXPECT_STREQ(changes->list[3].value, "");
	EXPECT_TRUE(call_changes_touch(changes, "x;b;y"));
	EXPECT_FALSE(call_changes_touch(changes, "bb;"));
	EXPECT_FALSE(call_changes_touch(changes, nullptr));
	free(changes);
}

TEST(Changes, HaveLimits)
{
	std::string many, large(CALL_CHANGES_BYTES_MAX + 1, '#'), nul("a=\0", 3);
	struct call_changes *changes = nullptr;

	for (int i = 0; i <= CALL_CHANGES_MAX; i++)
		many += "k=v\n";
	EXPECT_EQ(call_changes_read({many.data(), many.size()}, &changes), -E2BIG);
	EXPECT_EQ(call_changes_read({large.data(), large.size()}, &changes), -EINVAL);
	EXPECT_EQ(call_changes_read({nul.data(), nul.size()}, &changes), -EINVAL);
	for (const char *bad : {"\xff", "k=\xc3", "\x80", "\xe4\xb8=1"})
		EXPECT_EQ(call_changes_read(str_of(bad), &changes), -EINVAL) << bad;
	ASSERT_EQ(call_changes_read(str_of("k=\xe4\xb8\xad"), &changes), 0);
	free(changes);
	ASSERT_EQ(call_changes_read({nullptr, 0}, &changes), 0);
	EXPECT_EQ(changes->count, 0u);
	free(changes);
}

} // namespace
