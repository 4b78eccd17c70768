/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up fields and reading their values as Java reads them; language names. */
#include <errno.h>
#include <message/decimal.h>
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

int remoting_parse_int64(struct gantry_str text, int64_t *ret)
{
	return decimal_parse(text.at, text.size, ret);
}

int remoting_parse_int32(struct gantry_str text, int32_t *ret)
{
	return decimal_parse_int32(text.at, text.size, ret);
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
