// SPDX-License-Identifier: Apache-2.0
// SQL92 expressions: what RocketMQ's own filter answered to the questions of testdata/answers.txt,
// and the limits, which are ours.
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

#include "sql_answer.h"

namespace
{

TEST(Sql92, AnswersAsRocketMqDoes)
{
	std::ifstream file(SQL_ANSWERS);
	std::string line, question;
	int asked = 0;

	while (std::getline(file, line)) {
		if (line.rfind("=> ", 0) == 0) {
			EXPECT_EQ(line.substr(3), sql_answer(question)) << question;
			asked++;
		} else if (line[0] != '#') {
			question = line;
		}
	}
	EXPECT_GT(asked, 1000);
}

struct Compiled {
	gantry_filter *filter = nullptr;
	int status;
	std::string why;

	explicit Compiled(const std::string &expression, size_t why_size = 256)
	{
		std::vector<char> room(why_size);

		status = sql_compile({expression.data(), expression.size()}, &filter, room.data(),
				     room.size());
		why = status ? room.data() : "";
	}
	~Compiled()
	{
		sql_free(filter);
	}
	sql_type of(const std::string &properties) const
	{
		return sql_evaluate(filter, {properties.data(), properties.size()});
	}
};

std::string repeat(const std::string &text, size_t count)
{
	std::string out;

	while (count--)
		out += text;
	return out;
}

TEST(Sql92, LongChainsAreFine)
{
	Compiled chain("a = 0" + repeat(" OR a = 1 AND TRUE", 3500));

	ASSERT_EQ(chain.status, 0) << chain.why;
	EXPECT_EQ(chain.of("a\0011\002"), SQL_TRUE);
	EXPECT_EQ(chain.of("a\0012\002"), SQL_FALSE);
	EXPECT_EQ(chain.of(""), SQL_NULL);
}

TEST(Sql92, LongListsAreFine)
{
	std::string list = "a IN ('x'";

	for (int i = 0; i < 6000; i++)
		list += ",'" + std::to_string(i) + "'";
	Compiled in(list + ")");
	ASSERT_EQ(in.status, 0) << in.why;
	EXPECT_EQ(in.of("a\0015999\002"), SQL_TRUE);
	EXPECT_EQ(in.of("a\0016000\002"), SQL_FALSE);
}

TEST(Sql92, DepthHasALimit)
{
	auto nested = [](size_t depth) {
		return repeat("a = 1 OR (", depth) + "a = 2" + repeat(")", depth);
	};
	Compiled fits(nested(250)), deep(nested(300)), brackets(repeat("(", 30000) + "a");
	Compiled nots(repeat("NOT ", 3000) + "TRUE"), minus(repeat("-", 60000) + "a = 1");

	EXPECT_EQ(fits.status, 0) << fits.why;
	EXPECT_EQ(fits.of("a\0012\002"), SQL_TRUE);
	EXPECT_EQ(nots.status, 0) << nots.why;
	EXPECT_EQ(nots.of(""), SQL_TRUE);
	for (const Compiled *each : {&deep, &brackets, &minus}) {
		EXPECT_EQ(each->status, -EINVAL);
		EXPECT_EQ(each->why, "the expression is nested too deep");
	}
}

TEST(Sql92, SizeHasALimit)
{
	Compiled fits("a = '" + std::string(SQL_EXPRESSION_MAX - 6, 'x') + "'");
	Compiled big("a = '" + std::string(SQL_EXPRESSION_MAX - 5, 'x') + "'");

	EXPECT_EQ(fits.status, 0) << fits.why;
	EXPECT_EQ(big.status, -EINVAL);
	EXPECT_EQ(big.why, "the expression has 65537 bytes, at most 65536");
}

TEST(Sql92, NamesHaveALimit)
{
	std::string names = "a0 = 1", many;

	for (int i = 1; i < SQL_NAMES_MAX; i++)
		names += " OR a" + std::to_string(i) + " = 1";
	Compiled fits(names + " OR a255 = 2"), over(names + " OR b = 1");

	ASSERT_EQ(fits.status, 0) << fits.why;
	EXPECT_EQ(fits.of("a255\0012\002"), SQL_TRUE);
	EXPECT_EQ(over.status, -EINVAL);
	EXPECT_EQ(over.why, "more than 256 different properties");
}

TEST(Sql92, MinusSignsTakeNoLongTimeWithoutALineEnd)
{
	Compiled many(std::string(SQL_EXPRESSION_MAX, '-'));
	Compiled some(repeat("-- x\n", 12000) + "a IS NULL");

	EXPECT_EQ(many.status, -EINVAL);
	EXPECT_EQ(some.status, 0) << some.why;
}

TEST(Sql92, TheReasonIsCutBetweenLetters)
{
	Compiled cut("a > 'ééé'", 42);

	EXPECT_EQ(cut.why, "java.lang.RuntimeException: Value ''éé");
	EXPECT_EQ(Compiled("a >", 1).why, "");
}

TEST(Sql92, OfEqualPropertiesTheLastCounts)
{
	Compiled filter("a = 'y'");

	EXPECT_EQ(filter.of("a\001x\002a\001y\002"), SQL_TRUE);
	EXPECT_EQ(filter.of("a\001y\002a\001x\002"), SQL_FALSE);
	EXPECT_EQ(filter.of("b\001y\002a\001y"), SQL_TRUE);
	EXPECT_EQ(filter.of("a\001"), SQL_NULL);
	EXPECT_EQ(filter.of("\001\002\001a"), SQL_NULL);
}

} // namespace
