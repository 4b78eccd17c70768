/* SPDX-License-Identifier: Apache-2.0 */
/* Building the answer of a struct gantry_call. Each returns 0, a handler's own "it is answered". */
#ifndef CALL_REPLY_H
#define CALL_REPLY_H

#include <gantry/role.h>

#ifdef __cplusplus
extern "C" {
#endif

int call_ok(struct gantry_call *call);
/* format NULL: no remark. A remark is cut at GANTRY_REMARK_MAX. */
int call_fail(struct gantry_call *call, int32_t code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Code 3 with RocketMQ's sentence. */
int call_unknown(struct gantry_call *call);
/* Code 1: this process has no memory left for it. */
int call_no_memory(struct gantry_call *call);

/* Adds a field to the answer. name is static. What does not fit (16 fields, 1 KiB of text) makes
 * the answer a code 1 that says so. */
void call_reply_int(struct gantry_call *call, const char *name, int64_t value);
void call_reply_text(struct gantry_call *call, const char *name, struct gantry_str value);
/* The same for a text of any length; it may take the place of the body, so the answer has none. */
void call_reply_long_text(struct gantry_call *call, const char *name, struct gantry_str value);
/* value is static. */
void call_reply_static(struct gantry_call *call, const char *name, const char *value);

/* Success with this body, from malloc; the call owns it from now on. body NULL: no memory. */
int call_reply_body(struct gantry_call *call, char *body, size_t size);
/* The same for a body that was just made, or could not be: err is 0 or a negative errno, which is
 * answered as code 1 with the system's text; body is then untouched. */
int call_reply_made(struct gantry_call *call, int err, char *body, size_t size);

#ifdef __cplusplus
}
#endif
#endif
