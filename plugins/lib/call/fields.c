/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a call: found by name, read as numbers, refused like Java. */
#include "call/fields.h"

#include <errno.h>
#include <limits.h>

#include "call/reply.h"
#include "message/decimal.h"

struct gantry_str call_text(const struct gantry_call *call, const char *name)
{
	for (uint32_t i = 0; i < call->field_count; i++)
		if (str_is(call->fields[i].name, name))
			return call->fields[i].value;
	return (struct gantry_str){NULL, 0};
}

int64_t call_int64(const struct gantry_call *call, const char *name, int64_t dflt)
{
	int64_t value = dflt;

	str_int64(call_text(call, name), &value);
	return value;
}

int32_t call_int32(const struct gantry_call *call, const char *name, int32_t dflt)
{
	int32_t value = dflt;

	str_int32(call_text(call, name), &value);
	return value;
}

/* As Boolean.parseBoolean(): "true" in any case, all else is false. */
bool call_bool(const struct gantry_call *call, const char *name, bool dflt)
{
	struct gantry_str text = call_text(call, name);

	if (!text.at)
		return dflt;
	if (text.size != 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		if ((text.at[i] | 0x20) != "true"[i])
			return false;
	return true;
}

static int refuse(struct gantry_call *call, const char *name, struct gantry_str value)
{
	if (!value.at)
		call_fail(call, GANTRY_SYSTEM_ERROR,
			  "RemotingCommandException: the custom field <%s> is null", name);
	else
		call_fail(call, GANTRY_SYSTEM_ERROR,
			  "NumberFormatException: For input string: \"%.*s\"",
			  value.size > 64 ? 64 : (int)value.size, value.at);
	return -EINVAL;
}

int call_need_text(struct gantry_call *call, const char *name, struct gantry_str *ret)
{
	struct gantry_str value = call_text(call, name);

	if (!value.at)
		return refuse(call, name, value);
	*ret = value;
	return 0;
}

int call_need_int64(struct gantry_call *call, const char *name, int64_t *ret)
{
	struct gantry_str value = call_text(call, name);

	return str_int64(value, ret) ? refuse(call, name, value) : 0;
}

int call_need_int32(struct gantry_call *call, const char *name, int32_t *ret)
{
	struct gantry_str value = call_text(call, name);

	return str_int32(value, ret) ? refuse(call, name, value) : 0;
}

bool str_blank(struct gantry_str str)
{
	for (size_t i = 0; i < str.size; i++)
		if ((unsigned char)str.at[i] > ' ')
			return false;
	return true;
}

int str_int64(struct gantry_str str, int64_t *ret)
{
	return decimal_parse(str.at, str.size, ret);
}

int str_int32(struct gantry_str str, int32_t *ret)
{
	return decimal_parse_int32(str.at, str.size, ret);
}
