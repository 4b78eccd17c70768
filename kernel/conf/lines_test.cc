// SPDX-License-Identifier: Apache-2.0
// Lines, pairs and encodings of configuration files. What java.util.Properties makes of a text was
// asked of Java 17 (Properties.load on ISO-8859-1 bytes) and written down here.
#include "conf/test.h"

#include <cerrno>
#include <map>

namespace
{

struct Reading {
	std::map<std::string, std::string> pairs;
	std::map<std::string, unsigned> lines;
	std::string problem;
	int code = 0;
	gk_error error = {};
	bool utf8 = false, bom = false;
};

int add(gk_line *line, void *user, gk_error *error)
{
	Reading *reading = static_cast<Reading *>(user);
	unsigned number = line->number;
	gk_pair pair;
	const char *problem = gk_line_split(line, &pair);

	if (problem)
		return gk_conf_fail(error, -EINVAL, "f:%u: %s", number, problem);
	reading->pairs[pair.key] = pair.value;
	reading->lines[pair.key] = number;
	return 0;
}

Reading read(const std::string &text)
{
	Reading reading;
	gk_text bytes;

	reading.code = gk_text_take(text.data(), text.size(), "f", &bytes, &reading.error);
	if (reading.code)
		return reading;
	reading.utf8 = bytes.utf8;
	reading.bom = bytes.bom;
	reading.code = gk_text_each_line(&bytes, "f", add, &reading, &reading.error);
	free(bytes.at);
	return reading;
}

std::string show(const Reading &reading)
{
	std::string text;

	for (auto &[key, value] : reading.pairs)
		text += "<" + key + "|" + value + ">";
	return text;
}

// java: nullptr where Java throws. ours differs only in blanks around values, which RocketMQ trims.
const struct {
	const char *text, *java;
} as_java[] = {
	{"a=b", "<a|b>"},
	{"a:b", "<a|b>"},
	{"a b", "<a|b>"},
	{"a\tb", "<a|b>"},
	{"a\fb", "<a|b>"},
	{"a = b", "<a|b>"},
	{"a : b", "<a|b>"},
	{"a  =  b ", "<a|b >"},
	{"a==b", "<a|=b>"},
	{"a=:b", "<a|:b>"},
	{"a:=b", "<a|=b>"},
	{"a  b=c", "<a|b=c>"},
	{"a = = b", "<a|= b>"},
	{"a", "<a|>"},
	{"a=", "<a|>"},
	{"a:", "<a|>"},
	{"=b", "<|b>"},
	{":b", "<|b>"},
	{" = b", "<|b>"},
	{"  a=b", "<a|b>"},
	{"\ta=b", "<a|b>"},
	{"\fa=b", "<a|b>"},
	{"#a=b", ""},
	{"!a=b", ""},
	{"  # x\na=b", "<a|b>"},
	{"  ! x\na=b", "<a|b>"},
	{"a=b#c", "<a|b#c>"},
	{"a=b !c", "<a|b !c>"},
	{"a\\=b=c", "<a=b|c>"},
	{"a\\:b=c", "<a:b|c>"},
	{"a\\ b=c", "<a b|c>"},
	{"a\\\\=c", "<a\\|c>"},
	{"a=b\\\\", "<a|b\\>"},
	{"a=b\\", "<a|b>"},
	{"a=b\\\nc", "<a|bc>"},
	{"a=b\\\n   c", "<a|bc>"},
	{"a=b\\\r\n  c", "<a|bc>"},
	{"a=b\\\rc", "<a|bc>"},
	{"a=b\\\\\nc=d", "<a|b\\><c|d>"},
	{"a=b\\\\\\\nc", "<a|b\\c>"},
	{"a=b\\\n\nc=d", "<a|b><c|d>"},
	{"a=b\\\n#c\nd=e", "<a|b#c><d|e>"},
	{"a\\\n=b", "<a|b>"},
	{"a\\\nb=c", "<ab|c>"},
	{"\\\n#x\na=b", "<a|b>"},
	{"\\\na=b", "<a|b>"},
	{"#c\\\na=b", "<a|b>"},
	{"a=\\u0041", "<a|A>"},
	{"a=\\u00e9\\u4e2d", "<a|\xc3"
			     "\xa9"
			     "\xe4"
			     "\xb8"
			     "\xad"
			     ">"},
	{"a=\\ud83d\\ude00", "<a|\xf0"
			     "\x9f"
			     "\x98"
			     "\x80"
			     ">"},
	{"a=\\t\\n\\r\\f", "<a|\t\n\r\f>"},
	{"a=\\q\\\"\\'", "<a|q\"'>"},
	{"a=\\ b", "<a| b>"},
	{"a= \\ b ", "<a| b >"},
	{"a=b\r\nc=d", "<a|b><c|d>"},
	{"a=b\rc=d", "<a|b><c|d>"},
	{"a=b\n\rc=d", "<a|b><c|d>"},
	{"a=1\na=2", "<a|2>"},
	{"a=\\u004", nullptr},
	{"a=\\uzzzz", nullptr},
	{"a=\\U0041", "<a|U0041>"},
	{"a=b\\ \nc=d", "<a|b ><c|d>"},
	{"[x]", "<[x]|>"},
	{"[plugin x]", "<[plugin|x]>"},
	{"\\#a=b", "<#a|b>"},
	{"\\!a=b", "<!a|b>"},
	{"a=\\#b", "<a|#b>"},
	{"a\\u003db=c", "<a=b|c>"},
	{"a=b\\\n\\\nc", "<a|bc>"},
	{"a=b\\\n \\\n c", "<a|bc>"},
	{"\\u0020a=b", "< a|b>"},
	{"a\n=b", "<|b><a|>"},
	{"a=b\n\n\n", "<a|b>"},
	{"\n\n", ""},
	{"", ""},
	{"\\", "<|>"},
	{"\\\\", "<\\|>"},
	{"a\\", "<a|>"},
	{"\f\n a=b", "<a|b>"},
	{"a=x\\\n\ty\\\n\tz", "<a|xyz>"},
	{"a=b\\\n  \n c=d", "<a|b><c|d>"},
	{"a\\\n  b = c", "<ab|c>"},
	{"a=\\\n", "<a|>"},
	{"a=\\\n  \\\n  b", "<a|b>"},
};

// RocketMQ trims texts; we trim every value. An empty key is nobody's.
std::string trimmed(std::string java)
{
	static const std::string blanks = " \t\n\r\f";
	std::string text;

	while (!java.empty()) {
		size_t bar = java.find('|'), end = java.find('>', bar);
		std::string key = java.substr(1, bar - 1),
			    value = java.substr(bar + 1, end - bar - 1);

		value.erase(value.find_last_not_of(blanks) + 1);
		value.erase(0, std::min(value.find_first_not_of(" \t\f"), value.size()));
		text += "<" + key + "|" + value + ">";
		java.erase(0, end + 1);
	}
	return text;
}

TEST(ConfLines, MeanWhatTheyMeanToJava)
{
	for (auto &row : as_java) {
		Reading reading = read(row.text);

		if (row.java) {
			EXPECT_EQ(reading.code, 0) << row.text << ": " << reading.error.text;
			EXPECT_EQ(show(reading), trimmed(row.java)) << row.text;
		} else {
			EXPECT_EQ(reading.code, -EINVAL) << row.text;
			EXPECT_STREQ(reading.error.text,
				     "f:1: a \\u without four hexadecimal digits");
		}
	}
}

TEST(ConfLines, KnowTheirNumbers)
{
	Reading reading = read("# one\n\na=1\r\nb = x\\\n   y\\\r\n   z\r c=3\n\n\nd=4");

	EXPECT_EQ(show(reading), "<a|1><b|xyz><c|3><d|4>");
	EXPECT_EQ(reading.lines,
		  (std::map<std::string, unsigned>{{"a", 3}, {"b", 4}, {"c", 7}, {"d", 10}}));
}

TEST(ConfLines, NulIsRefused)
{
	EXPECT_EQ(read(std::string("a=1\nb=\0x", 8)).code, -EINVAL);
	EXPECT_STREQ(read(std::string("a=1\nb=\0x", 8)).error.text,
		     "f:2: a NUL byte; this is no text in UTF-8");
	EXPECT_STREQ(read("a=1\nb=2\nc=\\u0000").error.text, "f:3: a \\u0000");
}

TEST(ConfLines, Utf8StaysUtf8)
{
	Reading reading = read("name=\xe4\xb8\xad\xe6\x96\x87");

	EXPECT_TRUE(reading.utf8);
	EXPECT_EQ(show(reading), "<name|\xe4\xb8\xad\xe6\x96\x87>");
	EXPECT_FALSE(read("name=\\u4e2d").utf8);
	EXPECT_EQ(show(read("name=\\u4e2d")), "<name|\xe4\xb8\xad>");
}

TEST(ConfLines, OtherBytesAreIso88591)
{
	Reading reading = read("name=caf\xe9 \xff");

	EXPECT_FALSE(reading.utf8);
	EXPECT_EQ(show(reading), "<name|caf\xc3\xa9 \xc3\xbf>");
	// Text in GBK, as comments of old files are: nothing is refused, other lines are not
	// touched.
	EXPECT_EQ(show(read("#\xbc\xaf\xc8\xba\nbrokerName=a\n")), "<brokerName|a>");
}

TEST(ConfLines, AByteOrderMarkIsSkipped)
{
	Reading reading = read("\xef\xbb\xbf"
			       "a=1");

	EXPECT_TRUE(reading.bom);
	EXPECT_EQ(show(reading), "<a|1>");
}

TEST(ConfLines, HalfASurrogatePairIsReplaced)
{
	EXPECT_EQ(show(read("a=\\ud83dx")), "<a|\xef\xbf\xbd"
					    "x>");
	EXPECT_EQ(show(read("a=\\ud83d\\u0041")), "<a|\xef\xbf\xbd"
						  "A>");
	EXPECT_EQ(show(read("a=\\ude00")), "<a|\xef\xbf\xbd>");
	EXPECT_EQ(read("a=\\ud83d\\u12").code, -EINVAL);
}

TEST(ConfLines, FilesHaveALimit)
{
	std::string most = "a=1\n" + std::string(GK_FILE_MAX - 4, '\n');

	EXPECT_EQ(read(most).code, 0);
	EXPECT_EQ(read(most + "\n").code, -EFBIG);
	EXPECT_STREQ(read(most + "\n").error.text, "f: longer than 1048576 bytes");
}

TEST(ConfLines, LinesHaveALimit)
{
	std::string most = "a=" + std::string(GK_LINE_MAX - 2, 'x');

	EXPECT_EQ(read(most).code, 0);
	EXPECT_EQ(read("b=1\n" + most + "x\nc=1").code, -EMSGSIZE);
	EXPECT_STREQ(read("b=1\n" + most + "x").error.text, "f:2: a line of more than 65536 bytes");
	// Continued lines count together.
	std::string half(GK_LINE_MAX / 2 + 1, 'x');
	EXPECT_EQ(read("a=" + half + "\\\n" + half).code, -EMSGSIZE);
	// A comment may be as long as it likes.
	EXPECT_EQ(read("#" + most + most).code, 0);
}

TEST(ConfLines, KeysHaveALimit)
{
	std::string most;

	for (int i = 0; i < GK_KEYS_MAX; i++)
		most += "k" + std::to_string(i) + "\n";
	EXPECT_EQ(read(most).pairs.size(), static_cast<size_t>(GK_KEYS_MAX));
	EXPECT_EQ(read(most + "x").code, -E2BIG);
	EXPECT_STREQ(read(most + "x").error.text, "f:10001: more than 10000 keys");
}

// Whatever the bytes are, reading ends with pairs or a sentence.
TEST(ConfLines, SurviveAnything)
{
	static const char alphabet[] = "a=: \t\f\\\n\r#!u0[]\xe4\xb8\xad\xff,;x";
	unsigned state = 1;

	for (int round = 0; round < 20000; round++) {
		std::string text;

		for (unsigned i = 0; i < 1 + round % 40u; i++) {
			state = state * 1664525 + 1013904223;
			text += alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
		}
		Reading reading = read(text);

		EXPECT_EQ(reading.code != 0, reading.error.text[0] != 0) << text;
		for (auto &[key, value] : reading.pairs)
			EXPECT_TRUE(g_utf8_validate(value.c_str(), -1, nullptr)) << text;
	}
}

} // namespace
