/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the fields of a struct gantry_call as RocketMQ's header classes do.
 *
 * call_need_...: the field must be there. If it is not, or is not of its type, they fill in the
 * answer that the Java nodes give (code 1, "the custom field <topic> is null") and return -EINVAL:
 * the caller returns 0 from its handler. call_...: absent or ill-typed gives the default. */
#ifndef CALL_FIELDS_H
#define CALL_FIELDS_H

#include <stdbool.h>

#include <gantry/role.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_str call_text(const struct gantry_call *call, const char *name); /* at NULL: absent */
int64_t call_int64(const struct gantry_call *call, const char *name, int64_t dflt);
int32_t call_int32(const struct gantry_call *call, const char *name, int32_t dflt);
bool call_bool(const struct gantry_call *call, const char *name, bool dflt);

int call_need_text(struct gantry_call *call, const char *name, struct gantry_str *ret);
int call_need_int64(struct gantry_call *call, const char *name, int64_t *ret);
int call_need_int32(struct gantry_call *call, const char *name, int32_t *ret);

/* Helpers on borrowed text. */
static inline struct gantry_str str_of(const char *text)
{
	struct gantry_str str = {text, text ? __builtin_strlen(text) : 0};

	return str;
}

static inline bool str_equal(struct gantry_str a, struct gantry_str b)
{
	return a.size == b.size && (a.size == 0 || __builtin_memcmp(a.at, b.at, a.size) == 0);
}

static inline bool str_is(struct gantry_str a, const char *text)
{
	return str_equal(a, str_of(text));
}

static inline bool str_starts(struct gantry_str a, const char *prefix)
{
	size_t size = __builtin_strlen(prefix);

	return a.size >= size && __builtin_memcmp(a.at, prefix, size) == 0;
}

/* Only white space, or nothing. */
bool str_blank(struct gantry_str str);
/* Decimal with an optional sign, nothing else around it; -EINVAL, -ERANGE. */
int str_int64(struct gantry_str str, int64_t *ret);
int str_int32(struct gantry_str str, int32_t *ret);

/* For printf's "%.*s". */
#define STR_ARGS(str) (int)(str).size, (str).at ? (str).at : ""

#ifdef __cplusplus
}
#endif
#endif
