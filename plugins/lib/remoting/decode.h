/* SPDX-License-Identifier: Apache-2.0 */
/* The ways a header is decoded; private to this library, and to its tests, which compare them. */
#ifndef REMOTING_DECODE_H
#define REMOTING_DECODE_H

#include <remoting/codec.h>

/* One pass over JSON as clients write it: 1 if it is that, 0 if anything is unexpected and the
 * full parser must look (scratch is then as it was), -E2BIG. */
int remoting_json_fast(struct gantry_str text, struct remoting_scratch *scratch,
		       struct remoting_header *ret, const char **why);
/* Any JSON that RocketMQ's own parser takes, and fastjson's unquoted names. */
int remoting_json_full(struct gantry_str text, struct remoting_scratch *scratch,
		       struct remoting_header *ret, const char **why);
int remoting_binary(struct gantry_str bytes, struct remoting_scratch *scratch,
		    struct remoting_header *ret, const char **why);

/* The next field of the header that begins at field first; NULL and *why: no room for one. */
static inline struct gantry_field *remoting_scratch_field(struct remoting_scratch *scratch,
							  uint32_t first, const char **why)
{
	if (scratch->field_used - first == REMOTING_FIELDS_MAX ||
	    scratch->field_used == scratch->field_room) {
		*why = "too many fields";
		return NULL;
	}
	return &scratch->fields[scratch->field_used++];
}

#endif
