// SPDX-License-Identifier: Apache-2.0
// Other values in a .properties file: one line changes, all others stay byte for byte.
#include "conf/test.h"

#include <cerrno>

namespace
{

class ConfEdit : public ::testing::Test
{
      protected:
	std::string edit(const std::string &text, std::vector<gantry_conf_line> changes)
	{
		char *fresh = nullptr;
		size_t size = 0;

		code = gk_conf_edit(text.data(), text.size(), changes.data(),
				    static_cast<unsigned>(changes.size()), &fresh, &size, &error);
		if (code)
			return error.text;
		std::string result(fresh, size);

		free(fresh);
		return result;
	}
	int code = 0;
	gk_error error = {};
};

TEST_F(ConfEdit, ALineIsReplacedWhereItStands)
{
	EXPECT_EQ(edit("# first\na=1\n\n  b : 2\nc 3\n", {{"b", "7"}}),
		  "# first\na=1\n\nb=7\nc 3\n");
	EXPECT_EQ(edit("a=1\r\nb=2\r\n", {{"a", "9"}}), "a=9\nb=2\r\n");
}

TEST_F(ConfEdit, WhatIsNotThereComesLast)
{
	EXPECT_EQ(edit("a=1", {{"b", "2"}}), "a=1\nb=2\n");
	EXPECT_EQ(edit("", {{"b", "2"}, {"c", ""}}), "b=2\nc=\n");
}

TEST_F(ConfEdit, LinesThatContinueGoWhole)
{
	EXPECT_EQ(edit("a=1,\\\n  2,\\\n  3\nb=2\n", {{"a", "x"}}), "a=x\nb=2\n");
	EXPECT_EQ(edit("x=a\\\n=b\n", {{"b", "1"}}), "x=a\\\n=b\nb=1\n");
}

TEST_F(ConfEdit, AKeyThatStandsTwiceStandsOnce)
{
	EXPECT_EQ(edit("a=1\nb=2\na=3\n", {{"a", "x"}}), "a=x\nb=2\n");
}

TEST_F(ConfEdit, ValuesAreReadBackAsTheyWere)
{
	EXPECT_EQ(edit("", {{"a", " b\\c\td\u00e9\U0001f600"}}),
		  "a=\\ b\\\\c\\td\\u00E9\\uD83D\\uDE00\n");
	EXPECT_EQ(edit("# \xe9\na=1\n", {{"a", "2"}}), "# \xe9\na=2\n"); // not UTF-8: stays so
}

TEST_F(ConfEdit, AFileThatCannotBeReadIsLeftAlone)
{
	edit(std::string("a=\0", 3), {{"a", "2"}});
	EXPECT_LT(code, 0);
}

} // namespace
