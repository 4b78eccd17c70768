/* SPDX-License-Identifier: Apache-2.0 */
/* Putting steps together, with the checks that RocketMQ's expression classes make when they are
 * created. */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile.h"
#include "number.h"

/* ---- arrays that grow */

static int grow(struct sql_compile *compile, void **array, uint32_t *room, uint32_t count,
		size_t size)
{
	uint32_t more = *room ? *room * 2 : 16;
	void *grown;

	if (count <= *room)
		return 0;
	while (more < count)
		more *= 2;
	grown = realloc(*array, more * size);
	if (!grown)
		return sql_no_memory(compile);
	*array = grown;
	*room = more;
	return 0;
}

/* The next step, not counted yet; NULL: no memory. */
static struct sql_step *next_step(struct sql_compile *compile, enum sql_op op)
{
	struct gantry_filter *filter = compile->filter;
	struct sql_step *step;

	if (grow(compile, (void **)&filter->steps, &filter->room, filter->count + 1,
		 sizeof(filter->steps[0])))
		return NULL;
	step = &filter->steps[filter->count];
	*step = (struct sql_step){.op = op, .start = filter->count};
	return step;
}

/* A step that leaves a value more on the stack. */
static int put_value(struct sql_compile *compile, const struct sql_step *value,
		     struct sql_operand *ret)
{
	struct gantry_filter *filter = compile->filter;
	struct sql_step *step = next_step(compile, value->op);

	if (!step)
		return -1;
	if (compile->depth == SQL_STACK_MAX) {
		compile->status = -EINVAL;
		snprintf(compile->why, compile->why_size, "the expression is nested too deep");
		return -1;
	}
	compile->depth++;
	*step = *value;
	step->start = filter->count++;
	*ret = (struct sql_operand){step->start, filter->count};
	return 0;
}

/* An operator over the operands from left on, the newest steps; left becomes its result. */
static int put_operator(struct sql_compile *compile, enum sql_op op, uint32_t operands,
			struct sql_operand *left)
{
	struct sql_step *step = next_step(compile, op);

	if (!step)
		return -1;
	step->start = left->start;
	left->end = ++compile->filter->count;
	compile->depth -= operands - 1;
	return 0;
}

static struct sql_step *newest(struct sql_compile *compile)
{
	return &compile->filter->steps[compile->filter->count - 1];
}

static int add_text(struct sql_compile *compile, struct gantry_str text, struct sql_span *ret)
{
	struct gantry_filter *filter = compile->filter;

	if (grow(compile, (void **)&filter->texts, &filter->text_room,
		 filter->text_size + (uint32_t)text.size + 1, 1))
		return -1;
	memcpy(filter->texts + filter->text_size, text.at, text.size);
	*ret = (struct sql_span){filter->text_size, (uint32_t)text.size};
	filter->text_size += (uint32_t)text.size;
	return 0;
}

/* A string literal's text: without its quotes, of two quotes only one. */
static int add_literal(struct sql_compile *compile, struct gantry_str literal, struct sql_span *ret)
{
	struct gantry_str inner = {literal.at + 1, literal.size - 2};
	struct sql_span span;
	char *to;

	if (add_text(compile, inner, &span))
		return -1;
	to = compile->filter->texts + span.at;
	for (size_t i = 0; i < inner.size; i++) {
		*to++ = inner.at[i];
		if (inner.at[i] == '\'')
			i++;
	}
	span.size = (uint32_t)(to - compile->filter->texts) - span.at;
	compile->filter->text_size = span.at + span.size;
	*ret = span;
	return 0;
}

/* ---- what an operand is */

static const struct sql_step *root(const struct sql_compile *compile, struct sql_operand operand)
{
	return &compile->filter->steps[operand.end - 1];
}

static bool is_constant(const struct sql_step *step)
{
	return step->op <= OP_TRUE;
}

static bool is_boolean(const struct sql_step *step)
{
	return step->op >= OP_NULL && step->op != OP_PROPERTY && step->op != OP_NEGATE;
}

/* RocketMQ's asBooleanExpression(); the operand is the newest. */
static int as_boolean(struct sql_compile *compile, struct sql_operand *operand)
{
	const struct sql_step *step = root(compile, *operand);

	if (is_boolean(step))
		return 0;
	if (step->op == OP_PROPERTY)
		return put_operator(compile, OP_CAST, 1, operand);
	return sql_refuse_operand(compile,
				  "org.apache.rocketmq.filter.parser.ParseException: Expression "
				  "will not result in a boolean value: ",
				  *operand, "");
}

/* RocketMQ's checkLessThanOperand(). */
static int check_order(struct sql_compile *compile, struct sql_operand operand)
{
	const struct sql_step *step = root(compile, operand);

	if (step->op == OP_INT || step->op == OP_LONG || step->op == OP_DOUBLE ||
	    step->op == OP_PROPERTY || step->op == OP_NEGATE)
		return 0;
	return sql_refuse_operand(compile, "java.lang.RuntimeException: Value '", operand,
				  "' cannot be compared.");
}

/* RocketMQ's checkEqualOperand(). */
static int check_equal(struct sql_compile *compile, struct sql_operand operand)
{
	if (root(compile, operand)->op != OP_NULL)
		return 0;
	return sql_refuse(compile, "java.lang.RuntimeException: 'NULL' cannot be compared.");
}

/* ---- constants and properties */

int sql_put_text(struct sql_compile *compile, struct gantry_str literal, struct sql_operand *ret)
{
	struct sql_step step = {.op = OP_TEXT};

	if (add_literal(compile, literal, &step.text))
		return -1;
	return put_value(compile, &step, ret);
}

int sql_put_integer(struct sql_compile *compile, struct gantry_str digits, struct sql_operand *ret)
{
	struct sql_step step = {.op = OP_LONG};

	if ((digits.at[digits.size - 1] | 32) == 'l')
		digits.size--;
	if (!java_integer(digits, INT64_MIN, INT64_MAX, &step.integer) &&
	    sql_refuse(compile, "java.lang.NumberFormatException: For input string: \"%.*s\"",
		       (int)digits.size, digits.at))
		return -1;
	if (step.integer <= INT32_MAX)
		step.op = OP_INT;
	return put_value(compile, &step, ret);
}

int sql_put_double(struct sql_compile *compile, struct gantry_str text, struct sql_operand *ret)
{
	struct sql_step step = {.op = OP_DOUBLE};
	const char *bound = NULL;

	java_double(text, &step.number);
	if (step.number > DBL_MAX)
		bound = "greater than 1.7976931348623157E308";
	else if (step.number < DBL_TRUE_MIN)
		bound = "less than 4.9E-324";
	if (bound && sql_refuse(compile, "java.lang.RuntimeException: %.*s is %s", (int)text.size,
				text.at, bound))
		return -1;
	return put_value(compile, &step, ret);
}

int sql_put_constant(struct sql_compile *compile, enum sql_op op, struct sql_operand *ret)
{
	struct sql_step step = {.op = op};

	return put_value(compile, &step, ret);
}

/* The number of that name, which may be new. */
static int find_name(struct sql_compile *compile, struct gantry_str name, uint32_t *ret)
{
	struct gantry_filter *filter = compile->filter;

	for (*ret = 0; *ret < filter->name_count; ++*ret) {
		struct sql_span known = filter->names[*ret];

		if (known.size == name.size &&
		    memcmp(filter->texts + known.at, name.at, name.size) == 0)
			return 0;
	}
	if (filter->name_count == SQL_NAMES_MAX) {
		compile->status = -EINVAL;
		snprintf(compile->why, compile->why_size, "more than %d different properties",
			 SQL_NAMES_MAX);
		return -1;
	}
	if (grow(compile, (void **)&filter->names, &filter->name_room, filter->name_count + 1,
		 sizeof(filter->names[0])) ||
	    add_text(compile, name, &filter->names[filter->name_count]))
		return -1;
	filter->name_sizes |= 1ull << (name.size & 63);
	filter->name_count++;
	return 0;
}

int sql_put_property(struct sql_compile *compile, struct gantry_str name, struct sql_operand *ret)
{
	struct sql_step step = {.op = OP_PROPERTY};

	if (find_name(compile, name, &step.name))
		return -1;
	return put_value(compile, &step, ret);
}

/* ---- operators of one operand */

int sql_put_negate(struct sql_compile *compile, struct sql_operand *operand)
{
	return put_operator(compile, OP_NEGATE, 1, operand);
}

int sql_put_not(struct sql_compile *compile, struct sql_operand *operand)
{
	if (as_boolean(compile, operand))
		return -1;
	return put_operator(compile, OP_NOT, 1, operand);
}

int sql_put_search(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
		   struct gantry_str literal)
{
	struct sql_span text;

	if (add_literal(compile, literal, &text) || put_operator(compile, op, 1, left))
		return -1;
	newest(compile)->text = text;
	return 0;
}

int sql_add_item(struct sql_compile *compile, struct gantry_str literal)
{
	struct gantry_filter *filter = compile->filter;

	if (grow(compile, (void **)&filter->items, &filter->item_room, filter->item_count + 1,
		 sizeof(filter->items[0])) ||
	    add_literal(compile, literal, &filter->items[filter->item_count]))
		return -1;
	filter->item_count++;
	return 0;
}

int sql_put_in(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
	       uint32_t first_item)
{
	if (root(compile, *left)->op != OP_PROPERTY &&
	    sql_refuse_operand(compile,
			       "java.lang.RuntimeException: Expected a property for In "
			       "expression, got: ",
			       *left, ""))
		return -1;
	if (put_operator(compile, op, 1, left))
		return -1;
	newest(compile)->items =
		(struct sql_span){first_item, compile->filter->item_count - first_item};
	return 0;
}

/* ---- operators of two and three */

int sql_put_equal(struct sql_compile *compile, struct sql_operand *left, struct sql_operand right,
		  bool negated)
{
	const struct sql_step *lstep = root(compile, *left), *rstep = root(compile, right);

	if (check_equal(compile, *left) || check_equal(compile, right))
		return -1;
	if (is_constant(lstep) && is_constant(rstep) && is_boolean(lstep) && !is_boolean(rstep) &&
	    sql_refuse_operand(
		    compile,
		    lstep->op == OP_TRUE
			    ? "java.lang.RuntimeException: 'TRUE' cannot be compared with '"
			    : "java.lang.RuntimeException: 'FALSE' cannot be compared with '",
		    right, "'"))
		return -1;
	if (put_operator(compile, OP_EQUAL, 2, left))
		return -1;
	return negated ? put_operator(compile, OP_NOT, 1, left) : 0;
}

int sql_put_is_null(struct sql_compile *compile, struct sql_operand *left, bool negated)
{
	struct sql_operand null;

	compile->null_test = compile->tokens;
	if (sql_put_constant(compile, OP_NULL, &null) || put_operator(compile, OP_EQUAL, 2, left))
		return -1;
	return negated ? put_operator(compile, OP_NOT, 1, left) : 0;
}

int sql_put_order(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
		  struct sql_operand right)
{
	if (check_order(compile, *left) || check_order(compile, right))
		return -1;
	return put_operator(compile, op, 2, left);
}

/* What a constant is when it runs. */
static struct sql_value value_of(const struct sql_compile *compile, const struct sql_step *step)
{
	switch (step->op) {
	case OP_TEXT:
		return (struct sql_value){.type = SQL_TEXT,
					  .size = step->text.size,
					  .text = compile->filter->texts + step->text.at};
	case OP_DOUBLE:
		return (struct sql_value){.type = SQL_DOUBLE, .number = step->number};
	case OP_INT:
	case OP_LONG:
		return (struct sql_value){.type = step->op == OP_INT ? SQL_INT : SQL_LONG,
					  .integer = step->integer};
	default:
		return (struct sql_value){.type = step->op == OP_TRUE ? SQL_TRUE : SQL_FALSE};
	}
}

/* Both are constants. The order of the checks is that of RocketMQ's createBetween(). */
static int check_bounds(struct sql_compile *compile, struct sql_operand low,
			struct sql_operand high)
{
	const struct sql_step *lstep = root(compile, low), *hstep = root(compile, high);
	struct sql_value left, right;
	int order;

	if (lstep->op == OP_NULL || hstep->op == OP_NULL)
		return sql_refuse(compile, "java.lang.RuntimeException: Illegal values of between, "
					   "values can not be null!");
	left = value_of(compile, lstep);
	right = value_of(compile, hstep);
	if (!sql_compare(right, left, &order))
		return sql_refuse_mix(compile, right, left);
	return order < 0 ? sql_refuse_bounds(compile, left, right) : 0;
}

int sql_put_between(struct sql_compile *compile, enum sql_op op, struct sql_operand *value,
		    struct sql_operand low, struct sql_operand high)
{
	if (op == OP_BETWEEN && is_constant(root(compile, low)) &&
	    is_constant(root(compile, high)) && check_bounds(compile, low, high))
		return -1;
	if (check_order(compile, *value) || check_order(compile, low) || check_order(compile, high))
		return -1;
	return put_operator(compile, op, 3, value);
}

int sql_put_decided(struct sql_compile *compile, enum sql_op op, struct sql_operand *left)
{
	/* what is no Boolean is only told of when the right side is known, as in Java */
	if (root(compile, *left)->op == OP_PROPERTY && put_operator(compile, OP_CAST, 1, left))
		return -1;
	if (!next_step(compile, op))
		return -1;
	compile->filter->count++;
	return 0;
}

int sql_put_logic(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
		  struct sql_operand right)
{
	uint32_t decided = left->end;

	if (as_boolean(compile, left) || as_boolean(compile, &right) ||
	    put_operator(compile, op, 2, left))
		return -1;
	compile->filter->steps[decided].target = left->end;
	return 0;
}

/* ---- the end */

static int compare_items(const void *a, const void *b, void *texts)
{
	const struct sql_span *left = a, *right = b;

	return sql_compare_texts((const char *)texts + left->at, left->size,
				 (const char *)texts + right->at, right->size);
}

int sql_put_end(struct sql_compile *compile, struct sql_operand *all)
{
	struct gantry_filter *filter = compile->filter;

	if (as_boolean(compile, all))
		return -1;
	for (uint32_t i = 0; i < filter->count; i++) {
		const struct sql_step *step = &filter->steps[i];

		if (step->op == OP_IN || step->op == OP_NOT_IN)
			qsort_r(filter->items + step->items.at, step->items.size,
				sizeof(filter->items[0]), compare_items, filter->texts);
	}
	return 0;
}
