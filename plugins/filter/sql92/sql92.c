/* SPDX-License-Identifier: Apache-2.0 */
/* The filter that RocketMQ calls SQL92. */
#include <gantry/filter.h>
#include <gantry/plugin.h>

#include "compile.h"

static int compile(struct gantry_inst *inst, struct gantry_str expression,
		   struct gantry_filter **ret, char *why, size_t why_size)
{
	(void)inst;
	return sql_compile(expression, ret, why, why_size);
}

/* A tag's hash says nothing about properties. */
static int match_code(const struct gantry_filter *filter, int64_t tag_code)
{
	(void)filter;
	(void)tag_code;
	return 1;
}

/* What is null, and what Java throws at, is no match. */
static int match_record(const struct gantry_filter *filter, const struct gantry_record_view *record)
{
	return sql_evaluate(filter, record->properties) == SQL_TRUE;
}

static const struct gantry_filter_ops ops = {
	.size = sizeof(ops),
	.compile = compile,
	.free = sql_free,
	.match_code = match_code,
	.match_record = match_record,
};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_FILTER, .name = "SQL92", .caps = GANTRY_FILTER_NEEDS_RECORD, .ops = &ops},
	{.kind = 0},
};

GANTRY_PLUGIN(filter_sql92, "filter-sql92", .version = "0.1", .license = "Apache-2.0",
	      .summary = "filters messages by their properties, with SQL92 expressions",
	      .offers = offers)
