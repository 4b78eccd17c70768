/* SPDX-License-Identifier: Apache-2.0 */
/* Message filters: an expression is compiled once per subscription; then a message is judged in
 * two steps, as the consume queue needs them: first by its tag code alone, then, if that passed
 * and the filter wants it, by the record. */
#ifndef GANTRY_FILTER_H
#define GANTRY_FILTER_H

#include <gantry/base.h>

GANTRY_BEGIN

/* gantry_service.caps of a filter */
enum {
	GANTRY_FILTER_NEEDS_RECORD = 1, /* match_record must be asked when match_code passed */
};

struct gantry_filter; /* a compiled expression; immutable, any thread */

/* What a filter may know of a stored message. Borrowed during the call. */
struct gantry_record_view {
	uint32_t size;
	int32_t sys_flag;
	struct gantry_str topic, properties, body;
	int64_t tag_code, store_ms, born_ms;
};

/* the vtable of a GANTRY_FILTER service; its name is RocketMQ's expressionType: "TAG", "SQL92" */
struct gantry_filter_ops {
	uint32_t size;
	uint32_t reserved;
	/* -EINVAL with the reason in why. */
	int (*compile)(struct gantry_inst *, struct gantry_str expression,
		       struct gantry_filter **ret, char *why, size_t why_size);
	void (*free)(struct gantry_filter *); /* NULL is fine */
	int (*match_code)(const struct gantry_filter *, int64_t tag_code);
	int (*match_record)(const struct gantry_filter *, const struct gantry_record_view *);
};

GANTRY_END
#endif
