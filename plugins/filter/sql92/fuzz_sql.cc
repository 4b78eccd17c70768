// SPDX-License-Identifier: Apache-2.0
// Any bytes as an expression and, behind a NUL, the properties of a message.
#include <cstdlib>
#include <cstring>
#include <string>

#include "compile.h"

namespace
{

void ask(const std::string &expression, const std::string &properties, size_t why_size)
{
	std::string why(why_size, '?');
	gantry_filter *filter = nullptr;
	int status =
		sql_compile({expression.data(), expression.size()}, &filter, why.data(), why_size);

	if (status) {
		if (filter || why.find('\0') == std::string::npos)
			abort();
		return;
	}
	sql_type type = sql_evaluate(filter, {properties.data(), properties.size()});
	if (type != SQL_NULL && type != SQL_FALSE && type != SQL_TRUE && type != SQL_FAIL)
		abort();
	sql_free(filter);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = reinterpret_cast<const char *>(data);
	const void *nul = size ? memchr(text, 0, size) : nullptr;
	size_t end = nul ? (size_t)(static_cast<const char *>(nul) - text) : size;
	std::string properties(text + end + (nul != nullptr), size - end - (nul != nullptr));

	ask(std::string(text, end), properties, 192);
	ask(std::string(text, end), properties, 4096);
	return 0;
}
