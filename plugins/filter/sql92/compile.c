/* SPDX-License-Identifier: Apache-2.0 */
/* From an expression to its program. */
#include "compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar.h"

/* The scanner wants to write, and two NULs at the end. */
static char *copy_of(struct gantry_str text)
{
	char *copy = malloc(text.size + 2);

	if (!copy)
		return NULL;
	if (text.size)
		memcpy(copy, text.at, text.size);
	memset(copy + text.size, 0, 2);
	return copy;
}

static uint32_t last_line_end(struct gantry_str text)
{
	size_t at = text.size;

	while (at && text.at[at - 1] != '\n' && text.at[at - 1] != '\r')
		at--;
	return (uint32_t)at;
}

static void parse(struct sql_compile *compile)
{
	if (setjmp(compile->no_memory) || sql_scan_begin(compile)) {
		sql_no_memory(compile);
		return;
	}
	/* whoever ends the parse sets the status, but for bison when it gets no memory */
	if (sql_parse_parse(compile) && !compile->status)
		sql_no_memory(compile);
}

int sql_compile(struct gantry_str expression, struct gantry_filter **ret, char *why,
		size_t why_size)
{
	struct sql_compile compile = {
		.text = expression.at,
		.size = (uint32_t)expression.size,
		.why = why,
		.why_size = why_size,
		.line_end = last_line_end(expression),
	};

	if (expression.size > SQL_EXPRESSION_MAX) {
		snprintf(why, why_size, "the expression has %zu bytes, at most %d", expression.size,
			 SQL_EXPRESSION_MAX);
		return -EINVAL;
	}
	compile.buffer = copy_of(expression);
	compile.filter = calloc(1, sizeof(*compile.filter));
	if (compile.buffer && compile.filter)
		parse(&compile);
	else
		sql_no_memory(&compile);
	sql_scan_end(&compile);
	free(compile.buffer);
	if (compile.status) {
		sql_free(compile.filter);
		return compile.status;
	}
	*ret = compile.filter;
	return 0;
}

void sql_free(struct gantry_filter *filter)
{
	if (!filter)
		return;
	free(filter->steps);
	free(filter->names);
	free(filter->items);
	free(filter->texts);
	free(filter);
}
