/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls, merged from the features' rows. */
#include "requests/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct call_table {
	uint32_t count;
	struct call_row rows[];
};

static const struct call_row *const features[] = {
	topic_calls,      group_calls,       offset_calls,
	queue_calls,      client_calls,      assign_calls,
	lock_calls,       config_calls,      query_calls,
	expire_calls,     relay_calls,       status_calls,
	reset_calls,      compare_calls,     reply_calls,
	delay_calls,      back_calls,        progress_calls,
	who_calls,        stats_calls,       runtime_calls,
	queue_view_calls, list_calls,        clean_calls,
	ha_calls,         transaction_calls, transaction_resume_calls,
};
enum { FEATURES = sizeof(features) / sizeof(features[0]) };

static int compare_rows(const void *a, const void *b)
{
	const struct call_row *x = a, *y = b;

	return (x->code > y->code) - (x->code < y->code);
}

int call_table_new(struct call_table **ret)
{
	struct call_table *table;
	uint32_t count = 0;

	for (size_t i = 0; i < FEATURES; i++)
		for (const struct call_row *row = features[i]; row->code; row++)
			count++;
	table = malloc(sizeof(*table) + count * sizeof(struct call_row));
	if (!table)
		return -ENOMEM;
	table->count = 0;
	for (size_t i = 0; i < FEATURES; i++)
		for (const struct call_row *row = features[i]; row->code; row++)
			table->rows[table->count++] = *row;
	qsort(table->rows, count, sizeof(struct call_row), compare_rows);
	for (uint32_t i = 1; i < count; i++) {
		if (table->rows[i - 1].code == table->rows[i].code) {
			free(table);
			return -EEXIST;
		}
	}
	*ret = table;
	return 0;
}

void call_table_free(struct call_table *table)
{
	free(table);
}

int call_run(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct call_row key = {.code = call->code};
	const struct call_row *row =
		bsearch(&key, broker->calls->rows, broker->calls->count, sizeof(key), compare_rows);

	return row ? row->run(broker, call, op) : call_unknown(call);
}
