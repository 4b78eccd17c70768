/* SPDX-License-Identifier: Apache-2.0 */
/* One question to the filter, as a line: the expression, then name and value of each property, with
 * tabs between them. The answer: true, false, null, throws, or "refused" with a tab and the
 * message. A tab, a line's end and a backslash in these are written \t, \n, \r, \\. For tests. */
#ifndef SQL_ANSWER_H
#define SQL_ANSWER_H

#include <string>
#include <vector>

#include "compile.h"

inline std::string sql_plain(const std::string &text)
{
	std::string out;

	for (size_t i = 0; i < text.size(); i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < text.size()) {
			c = text[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
		}
		out += c;
	}
	return out;
}

inline std::string sql_escaped(const std::string &text)
{
	std::string out;

	for (char c : text) {
		if (c == '\\' || c == '\t' || c == '\n' || c == '\r')
			out += '\\';
		out += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
	}
	return out;
}

inline std::vector<std::string> sql_fields(const std::string &line)
{
	std::vector<std::string> fields;
	size_t from = 0, tab;

	while ((tab = line.find('\t', from)) != std::string::npos) {
		fields.push_back(line.substr(from, tab - from));
		from = tab + 1;
	}
	fields.push_back(line.substr(from));
	return fields;
}

inline std::string sql_answer(const std::string &line)
{
	static const char *const names[] = {"null",   "false",    "true",   "an int",
					    "a long", "a double", "a text", "throws"};
	std::vector<std::string> fields = sql_fields(line);
	std::string expression = sql_plain(fields[0]), properties;
	std::vector<char> why(8192);
	gantry_filter *filter = nullptr;

	for (size_t i = 1; i + 1 < fields.size(); i += 2)
		properties += sql_plain(fields[i]) + '\1' + sql_plain(fields[i + 1]) + '\2';
	if (sql_compile({expression.data(), expression.size()}, &filter, why.data(), why.size()))
		return "refused\t" + sql_escaped(why.data());
	sql_type type = sql_evaluate(filter, {properties.data(), properties.size()});
	sql_free(filter);
	return names[type];
}

#endif
