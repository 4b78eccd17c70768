/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a call. */
#include "call/reply.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = sizeof(((struct gantry_call *)0)->ret_fields) / sizeof(struct gantry_field) };

int call_ok(struct gantry_call *call)
{
	call->ret_code = GANTRY_SUCCESS;
	call->remark[0] = 0;
	return 0;
}

int call_fail(struct gantry_call *call, int32_t code, const char *format, ...)
{
	call->ret_code = code;
	call->remark[0] = 0;
	if (format) {
		va_list args;

		va_start(args, format);
		vsnprintf(call->remark, sizeof(call->remark), format, args);
		va_end(args);
	}
	return 0;
}

int call_unknown(struct gantry_call *call)
{
	return call_fail(call, GANTRY_REQUEST_CODE_NOT_SUPPORTED,
			 " request type %" PRId32 " not supported", call->code);
}

int call_no_memory(struct gantry_call *call)
{
	return call_fail(call, GANTRY_SYSTEM_ERROR, "out of memory");
}

static void add_field(struct gantry_call *call, const char *name, struct gantry_str value)
{
	if (call->ret_field_count == FIELDS_MAX) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "the answer has too many fields");
		return;
	}
	call->ret_fields[call->ret_field_count++] =
		(struct gantry_field){.name = {name, strlen(name)}, .value = value};
}

void call_reply_text(struct gantry_call *call, const char *name, struct gantry_str value)
{
	char *to = call->ret_text + call->ret_text_used;

	if (value.size > sizeof(call->ret_text) - call->ret_text_used) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "the field %s is too long for an answer",
			  name);
		return;
	}
	if (value.size)
		memcpy(to, value.at, value.size);
	call->ret_text_used += (uint32_t)value.size;
	add_field(call, name, (struct gantry_str){to, value.size});
}

/* A body of size 0 is none, but its memory goes with the call: the text stands there. */
void call_reply_long_text(struct gantry_call *call, const char *name, struct gantry_str value)
{
	if (value.size <= sizeof(call->ret_text) - call->ret_text_used) {
		call_reply_text(call, name, value);
		return;
	}
	free(call->ret_body);
	call->ret_body_size = 0;
	call->ret_body = malloc(value.size);
	if (!call->ret_body) {
		call_no_memory(call);
		return;
	}
	memcpy(call->ret_body, value.at, value.size);
	add_field(call, name, (struct gantry_str){call->ret_body, value.size});
}

void call_reply_int(struct gantry_call *call, const char *name, int64_t value)
{
	char text[24];
	int size = snprintf(text, sizeof(text), "%" PRId64, value);

	call_reply_text(call, name, (struct gantry_str){text, (size_t)size});
}

void call_reply_static(struct gantry_call *call, const char *name, const char *value)
{
	add_field(call, name, (struct gantry_str){value, strlen(value)});
}

int call_reply_body(struct gantry_call *call, char *body, size_t size)
{
	if (!body)
		return call_no_memory(call);
	free(call->ret_body);
	call->ret_body = body;
	call->ret_body_size = size;
	return call_ok(call);
}

int call_reply_made(struct gantry_call *call, int err, char *body, size_t size)
{
	if (err)
		return call_fail(call, GANTRY_SYSTEM_ERROR, "%s", strerror(-err));
	return call_reply_body(call, body, size);
}
