/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts of messages that are made from stored ones: half messages that go on, or back, or away. */
#ifndef TRANSACTION_REWRITE_H
#define TRANSACTION_REWRITE_H

#include "call/fields.h"
#include "message/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The value of a property of the record; at NULL: none. */
struct gantry_str rewrite_property(const struct message_record *record, const char *name);

/* A draft of the same message, from borrowed text, without the properties that are named (a list
 * that NULL ends); added: pairs that take their place, may be absent. -EMSGSIZE: it cannot be put
 * together. */
int rewrite_message(const struct message_record *record, const char *const *without,
		    struct gantry_str added, struct message_draft *ret);

#ifdef __cplusplus
}
#endif
#endif
