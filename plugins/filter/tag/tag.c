/* SPDX-License-Identifier: Apache-2.0 */
/* The filter that RocketMQ calls TAG. */
#include <gantry/filter.h>
#include <gantry/plugin.h>

#include "tags.h"

static int compile(struct gantry_inst *inst, struct gantry_str expression,
		   struct gantry_filter **ret, char *why, size_t why_size)
{
	(void)inst;
	return tags_compile(expression, ret, why, why_size);
}

/* The hash was all there is to judge. */
static int match_record(const struct gantry_filter *filter, const struct gantry_record_view *record)
{
	(void)filter;
	(void)record;
	return 1;
}

static const struct gantry_filter_ops ops = {
	.size = sizeof(ops),
	.compile = compile,
	.free = tags_free,
	.match_code = tags_match,
	.match_record = match_record,
};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_FILTER, .name = "TAG", .ops = &ops},
	{.kind = 0},
};

GANTRY_PLUGIN(filter_tag, "filter-tag", .version = "0.1", .license = "Apache-2.0",
	      .summary = "filters messages by tag", .offers = offers)
