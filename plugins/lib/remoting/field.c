/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up fields and reading their values as Java reads them; language names. */
#include <errno.h>
#include <remoting/codec.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

struct gantry_str remoting_field(const struct remoting_header *header, const char *name)
{
	size_t size = strlen(name);

	for (uint32_t i = header->field_count; i-- > 0;) {
		const struct gantry_field *field = &header->fields[i];

		if (field->name.size == size && memcmp(field->name.at, name, size) == 0)
			return field->value;
	}
	return (struct gantry_str){0};
}

enum { DIGITS_SAFE = 18 }; /* so many cannot overflow */

int remoting_parse_int64(struct gantry_str text, int64_t *ret)
{
	const char *at = text.at, *end = at + text.size;
	bool negative = text.size && *at == '-';
	uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
	bool safe;

	at += negative || (text.size && *at == '+');
	if (at == end)
		return -EINVAL;
	safe = end - at <= DIGITS_SAFE;
	for (; at < end; at++) {
		unsigned digit = (unsigned)*at - '0';

		if (digit > 9)
			return -EINVAL;
		if (!safe && value > (limit - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	*ret = (int64_t)(negative ? 0 - value : value);
	return 0;
}

int remoting_parse_int32(struct gantry_str text, int32_t *ret)
{
	int64_t value;
	int code = remoting_parse_int64(text, &value);

	if (code)
		return code;
	if (value < INT32_MIN || value > INT32_MAX)
		return -ERANGE;
	*ret = (int32_t)value;
	return 0;
}

int remoting_field_int32(const struct remoting_header *header, const char *name, int32_t *ret)
{
	struct gantry_str text = remoting_field(header, name);

	return text.at ? remoting_parse_int32(text, ret) : -ENOENT;
}

int remoting_field_int64(const struct remoting_header *header, const char *name, int64_t *ret)
{
	struct gantry_str text = remoting_field(header, name);

	return text.at ? remoting_parse_int64(text, ret) : -ENOENT;
}

int remoting_field_bool(const struct remoting_header *header, const char *name, int missing)
{
	struct gantry_str text = remoting_field(header, name);

	if (!text.at)
		return missing;
	return text.size == 4 && strncasecmp(text.at, "true", 4) == 0;
}

static const char *const languages[] = {"JAVA",   "CPP",  "DOTNET", "PYTHON", "DELPHI",
					"ERLANG", "RUBY", "OTHER",  "HTTP",   "GO",
					"PHP",    "OMS",  "RUST",   "NODE_JS"};
enum { LANGUAGE_COUNT = sizeof(languages) / sizeof(*languages) };

const char *remoting_language_name(int32_t language)
{
	return language >= 0 && language < LANGUAGE_COUNT ? languages[language] : NULL;
}

int32_t remoting_language_code(struct gantry_str name)
{
	for (int32_t i = 0; i < LANGUAGE_COUNT; i++)
		if (strlen(languages[i]) == name.size &&
		    memcmp(languages[i], name.at, name.size) == 0)
			return i;
	return -1;
}
