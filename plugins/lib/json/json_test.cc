// SPDX-License-Identifier: Apache-2.0
// Reading JSON: the grammar, fastjson's liberties, limits, and looking into a document.
#include <json/json.h>

#include <cerrno>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace
{

struct Doc {
	struct json_doc doc = {};
	struct json_error error = {};
	std::string text;
	int code;

	explicit Doc(std::string from, unsigned flags = 0, const json_limits *limits = nullptr)
	    : text(std::move(from))
	{
		code = json_parse(text.data(), text.size(), flags, limits, &doc, &error);
	}
	~Doc()
	{
		json_free(&doc);
	}
	json_value root() const
	{
		return json_root(&doc);
	}
};

std::string text_of(json_value value)
{
	char *copy = json_strdup(value);
	std::string text = copy ? copy : "(none)";

	free(copy);
	return text;
}

// Writes a document back in one fixed form, so that structure can be compared.
std::string show(json_value value)
{
	std::string out;
	struct json_iter iter = json_iter(value);

	if (json_is(value, JSON_OBJECT)) {
		while (json_next(&iter))
			out += (out.empty() ? "" : " ") + show(iter.key) + "=" + show(iter.value);
		return "{" + out + "}";
	}
	if (json_is(value, JSON_ARRAY)) {
		while (json_next(&iter))
			out += (out.empty() ? "" : " ") + show(iter.value);
		return "[" + out + "]";
	}
	if (json_is(value, JSON_BOOL))
		return json_bool_or(value, false) ? "T" : "F";
	return json_is(value, JSON_NULL) ? "N" : text_of(value);
}

std::string parsed(const std::string &text, unsigned flags)
{
	Doc doc(text, flags);

	return doc.code ? "error " + std::to_string(doc.code) : show(doc.root());
}

TEST(JsonParse, TakesWhatTheGrammarHas)
{
	EXPECT_EQ(parsed("{}", 0), "{}");
	EXPECT_EQ(parsed(" [ ] \n", 0), "[]");
	EXPECT_EQ(parsed("[[],{},[{}]]", 0), "[[] {} [{}]]");
	EXPECT_EQ(parsed("{\"a\":1,\"b\":[true,false,null],\"c\":{\"d\":\"e\"}}", 0),
		  "{a=1 b=[T F N] c={d=e}}");
	EXPECT_EQ(parsed("[0,-1,1.5,-0.25,1e9,2E-3,1.5E20]", 0),
		  "[0 -1 1.5 -0.25 1e9 2E-3 1.5E20]");
	EXPECT_EQ(parsed("\t{ \"a\" :\r\n 1 }", 0), "{a=1}");
	EXPECT_EQ(parsed("\"x\"", 0), "x");
	EXPECT_EQ(parsed("7", 0), "7");
}

TEST(JsonParse, RefusesWhatItDoesNotHave)
{
	for (const char *text : {"",
				 " ",
				 "{",
				 "}",
				 "[",
				 "]",
				 "[1",
				 "[1,",
				 "[1,]",
				 "[,1]",
				 "[1 2]",
				 "{\"a\"}",
				 "{\"a\":}",
				 "{\"a\":1,}",
				 "{\"a\" 1}",
				 "{\"a\":1 \"b\":2}",
				 "{\"a\":1}}",
				 "{]",
				 "[}",
				 "01",
				 "-",
				 "1.",
				 ".5",
				 "1e",
				 "+1",
				 "0x10",
				 "nul",
				 "True",
				 "NaN",
				 "\"",
				 "\"\\x41\"",
				 "\"\\u12g4\"",
				 "\"\\u12",
				 "\"a\tb\"",
				 "'a'",
				 "{a:1}",
				 "{1:2}",
				 "{{}:1}",
				 "{[]:1}",
				 "{true:1}",
				 "1 2",
				 "{}x",
				 "[1]]",
				 "\"a\"\"b\"",
				 "{\"a\":1:2}",
				 "[\"a\":1]",
				 "\x01",
				 "\"\\",
				 "{\"a\":\"b\"\"c\"}",
				 "\xff"})
		EXPECT_EQ(parsed(text, 0), "error -22") << text;
	EXPECT_EQ(parsed(std::string("[1\0]", 4), 0), "error -22");
	EXPECT_EQ(parsed(std::string("\"\0\"", 3), 0), "error -22");
}

TEST(JsonParse, LenientTakesFastjsonsForms)
{
	EXPECT_EQ(parsed("{0:\"a\",-1:\"b\"}", JSON_LENIENT), "{0=a -1=b}");
	EXPECT_EQ(parsed("{code:1,_x$y:2}", JSON_LENIENT), "{code=1 _x$y=2}");
	EXPECT_EQ(parsed("{'a b,}':'it\"s','c':''}", JSON_LENIENT), "{a b,}=it\"s c=}");
	EXPECT_EQ(parsed("['\\'','\xc3\xa9',\"'\"]", JSON_LENIENT), "[' \xc3\xa9 ']");
	EXPECT_EQ(
		parsed("{{\"q\":0,\"t\":\"T\"}:5,{\"q\":1,\"t\":\"T\"}:{\"x\":[6]}}", JSON_LENIENT),
		"{{q=0 t=T}=5 {q=1 t=T}={x=[6]}}");
	EXPECT_EQ(parsed("{\"t\":{{\"q\":{{\"r\":1}:2}}:3},\"u\":4}", JSON_LENIENT),
		  "{t={{q={{r=1}=2}}=3} u=4}");
	EXPECT_EQ(parsed("\"a\tb\"", JSON_LENIENT), "a\tb");
	for (const char *text : {"{a b:1}", "{1a:1}", "{a'b':1}", "{'a:1}", "{'a'b:1}", "{[1]:2}",
				 "{{}:1:2}", "{{},1}", "{{}}", "[{}:1]", "['a''b']", "{a:b}",
				 "{-:1}", "'", "{a\"b\":1}", "[1']", "{:1}", "{\"a\":'\\q'}"})
		EXPECT_EQ(parsed(text, JSON_LENIENT), "error -22") << text;
}

TEST(JsonParse, SaysWhereAndWhy)
{
	Doc missing("{\"a\" 1}");

	EXPECT_EQ(missing.error.offset, 5u);
	EXPECT_STREQ(missing.error.why, "expected ':' after a key");
	Doc open("[1,\"abc");
	EXPECT_EQ(open.error.offset, 3u);
	EXPECT_STREQ(open.error.why, "a string without end");
	Doc rest("{} x");
	EXPECT_EQ(rest.error.offset, 3u);
}

TEST(JsonParse, KeepsItsLimits)
{
	json_limits few = {3, 8};
	std::string deep(65, '['), wide = "[1";

	EXPECT_EQ(Doc("[[[]]]", 0, &few).code, 0);
	EXPECT_EQ(Doc("[[[[]]]]", 0, &few).code, -E2BIG);
	EXPECT_EQ(Doc("[\"[[[[\",'[[[[']", JSON_LENIENT, &few).code, 0);
	EXPECT_EQ(Doc("[1,2,3,4,5,6,7]", 0, &few).code, 0);
	EXPECT_EQ(Doc("[1,2,3,4,5,6,7,8]", 0, &few).code, -E2BIG);
	EXPECT_EQ(Doc("['1','2','3','4','5','6','7','8']", JSON_LENIENT, &few).code, -E2BIG);
	EXPECT_EQ(Doc(deep + std::string(65, ']')).code, -E2BIG);
	EXPECT_EQ(Doc(std::string(1 << 20, '[')).code, -E2BIG);
	for (int i = 0; i < 100000; i++)
		wide += ",{\"a\":1}";
	EXPECT_EQ(Doc(wide + "]").code, 0);
}

// Many members whose keys are objects make jsmn's chain of parents long; closing brackets after
// them must not walk it each.
TEST(JsonParse, StaysLinearOnObjectKeys)
{
	std::string text(60, '[');

	text += "{";
	for (int i = 0; i < 100000; i++)
		text += std::string(i ? "," : "") + "{\"a\":1}:2";
	text += "}" + std::string(60, ']');
	EXPECT_EQ(Doc(text, JSON_LENIENT).code, 0);
}

TEST(JsonParse, EveryTruncationFails)
{
	std::string text = "{\"a\":[1,{\"b\":'c'}],{\"d\":0}:\"e\\u0041\",f:true}";

	ASSERT_EQ(Doc(text, JSON_LENIENT).code, 0);
	for (size_t size = 0; size < text.size(); size++)
		EXPECT_EQ(Doc(text.substr(0, size), JSON_LENIENT).code, -EINVAL) << size;
}

TEST(JsonRead, FindsMembers)
{
	Doc doc("{\"a\":1,\"b\":\"x\",\"a\":2,\"n\\u0061me\":3,\"l\":[4,5]}");
	json_value root = doc.root();

	EXPECT_EQ(json_int64_or(json_get(root, "a"), 0), 2) << "the last of two wins";
	EXPECT_EQ(json_int64_or(json_get(root, "name"), 0), 3);
	EXPECT_EQ(json_int64_or(json_get(root, "c"), 7), 7);
	EXPECT_EQ(json_count(root), 5u);
	EXPECT_EQ(json_int64_or(json_at(json_get(root, "l"), 1), 0), 5);
	EXPECT_FALSE(json_is(json_at(json_get(root, "l"), 2), JSON_NUMBER));
	EXPECT_TRUE(json_equals(json_get(root, "b"), "x"));
	EXPECT_FALSE(json_equals(json_get(root, "b"), "xy"));
	EXPECT_FALSE(json_equals(json_get(root, "l"), "[4,5]"));
	EXPECT_EQ(json_get(json_get(json_get(root, "x"), "y"), "z").doc, nullptr);
	EXPECT_EQ(json_count(json_value()), 0u);
}

TEST(JsonRead, Numbers)
{
	Doc doc("[9223372036854775807,-9223372036854775808,9223372036854775808,"
		"-9223372036854775809,\"12\",\"\",\"1x\",1.5,true,99999999999999999999,-0]");
	int64_t value = 42;
	auto at = [&](uint32_t i) { return json_int64(json_at(doc.root(), i), &value); };

	EXPECT_EQ(at(0), 0);
	EXPECT_EQ(value, INT64_MAX);
	EXPECT_EQ(at(1), 0);
	EXPECT_EQ(value, INT64_MIN);
	EXPECT_EQ(at(2), -ERANGE);
	EXPECT_EQ(at(3), -ERANGE);
	EXPECT_EQ(value, INT64_MIN) << "untouched on failure";
	EXPECT_EQ(at(4), 0);
	EXPECT_EQ(value, 12);
	EXPECT_EQ(at(5), -EINVAL);
	EXPECT_EQ(at(6), -EINVAL);
	EXPECT_EQ(at(7), -EINVAL);
	EXPECT_EQ(at(8), -EINVAL);
	EXPECT_EQ(at(9), -ERANGE);
	EXPECT_EQ(at(10), 0);
	EXPECT_EQ(value, 0);
}

TEST(JsonRead, Booleans)
{
	Doc doc("[true,false,\"TRUE\",\"no\",1,null]");
	bool flag = false;
	auto at = [&](uint32_t i) { return json_bool(json_at(doc.root(), i), &flag); };

	EXPECT_EQ(at(0), 0);
	EXPECT_TRUE(flag);
	EXPECT_EQ(at(1), 0);
	EXPECT_FALSE(flag);
	EXPECT_EQ(at(2), 0);
	EXPECT_TRUE(flag);
	EXPECT_EQ(at(3), -EINVAL);
	EXPECT_EQ(at(4), -EINVAL);
	EXPECT_TRUE(json_bool_or(json_at(doc.root(), 5), true));
}

TEST(JsonRead, Escapes)
{
	Doc doc("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00e9\\u4e2d\\ud83d\\ude00\","
		"\"\\ud83dx\\ude00\\ud83d\",\"plain\"]");

	EXPECT_EQ(text_of(json_at(doc.root(), 0)), "\"\\/\b\f\n\r\t");
	EXPECT_EQ(text_of(json_at(doc.root(), 1)), "A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
	EXPECT_EQ(text_of(json_at(doc.root(), 2)), "?x??")
		<< "lone surrogates, as Java writes them";

	char memory[8];
	gantry_str text;
	EXPECT_EQ(json_text(json_at(doc.root(), 0), memory, 7, &text), -ENOBUFS);
	EXPECT_EQ(json_text(json_at(doc.root(), 0), memory, 8, &text), 0);
	EXPECT_EQ(text.at, memory);
	EXPECT_EQ(json_text(json_at(doc.root(), 3), nullptr, 0, &text), 0);
	EXPECT_EQ(std::string(text.at, text.size), "plain");
	EXPECT_FALSE(json_raw(json_at(doc.root(), 0), &text));
	EXPECT_EQ(json_text(doc.root(), memory, 8, &text), -EINVAL);
}

// Random edits of a text never crash, and whatever is taken can be walked.
TEST(JsonParse, SurvivesMutation)
{
	const std::string seed =
		"{\"a\":[1,-2.5e3,{\"b\":'c\\n'}],{\"d\":0}:\"e\\u0041\",f:true,0:null}";
	const std::string alphabet = "{}[]:,\"'\\u0ntrue 1e-.\t\x80";
	std::mt19937 random(7);
	int taken = 0;

	for (int round = 0; round < 200000; round++) {
		std::string text = seed;

		for (unsigned edits = random() % 3 + 1; edits; edits--)
			text[random() % text.size()] = alphabet[random() % alphabet.size()];
		Doc doc(text, random() % 2 ? JSON_LENIENT : 0);
		if (doc.code == 0) {
			taken++;
			EXPECT_FALSE(show(doc.root()).empty());
		} else {
			EXPECT_EQ(doc.code, -EINVAL) << text;
			EXPECT_LE(doc.error.offset, text.size());
			EXPECT_NE(doc.error.why, nullptr);
		}
	}
	EXPECT_GT(taken, 1000);
}

} // namespace
