/* SPDX-License-Identifier: Apache-2.0 */
/* Running a compiled expression over one message. */
#include <string.h>
#include <strings.h>

#include "message/properties.h"
#include "number.h"
#include "program.h"

/* What one message says; lives on the stack of sql_evaluate(). */
struct run {
	const struct gantry_filter *filter;
	struct gantry_str properties[SQL_NAMES_MAX]; /* by name; at NULL: the message has none */
	struct sql_value stack[SQL_STACK_MAX];
	uint32_t depth;
};

static struct sql_value of_type(enum sql_type type)
{
	return (struct sql_value){.type = type};
}

static struct sql_value of_bool(bool truth)
{
	return of_type(truth ? SQL_TRUE : SQL_FALSE);
}

static bool is_bool(struct sql_value value)
{
	return value.type == SQL_TRUE || value.type == SQL_FALSE;
}

/* ---- comparing: ComparisonExpression.__compare() */

static int sign_of(int64_t left, int64_t right)
{
	return (left > right) - (left < right);
}

static int compare_numbers(struct sql_value left, struct sql_value right)
{
	if (left.type != SQL_DOUBLE && right.type != SQL_DOUBLE)
		return sign_of(left.integer, right.integer);
	return java_double_compare(left.type == SQL_DOUBLE ? left.number : (double)left.integer,
				   right.type == SQL_DOUBLE ? right.number : (double)right.integer);
}

/* Reads a text as what it is compared with; false: Java throws. */
static bool convert(struct sql_value *text, enum sql_type type)
{
	struct gantry_str from = {text->text, text->size};

	text->type = type;
	if (type == SQL_INT)
		return java_integer(from, INT32_MIN, INT32_MAX, &text->integer);
	if (type == SQL_LONG)
		return java_integer(from, INT64_MIN, INT64_MAX, &text->integer);
	if (type == SQL_DOUBLE)
		return java_double(from, &text->number);
	text->type = from.size == 4 && strncasecmp(from.at, "true", 4) == 0 ? SQL_TRUE : SQL_FALSE;
	return true;
}

bool sql_compare(struct sql_value left, struct sql_value right, int *ret)
{
	/* RocketMQ casts the Boolean to a String here, by mistake, and throws */
	if (is_bool(left) && right.type == SQL_TEXT)
		return false;
	if (left.type == SQL_TEXT && right.type != SQL_TEXT) {
		if (!convert(&left, right.type))
			return false;
	} else if (right.type == SQL_TEXT && left.type != SQL_TEXT) {
		if (!convert(&right, left.type))
			return false;
	}
	if (left.type == SQL_TEXT)
		*ret = sql_compare_texts(left.text, left.size, right.text, right.size);
	else if (is_bool(left) && is_bool(right))
		*ret = (int)left.type - (int)right.type;
	else if (is_bool(left) || is_bool(right))
		*ret = -1;
	else
		*ret = compare_numbers(left, right);
	return true;
}

static struct sql_value equal(struct sql_value left, struct sql_value right)
{
	int order;

	if (left.type == SQL_FAIL || right.type == SQL_FAIL)
		return of_type(SQL_FAIL);
	if (left.type == SQL_NULL)
		return of_type(right.type == SQL_NULL ? SQL_TRUE : SQL_NULL);
	if (right.type == SQL_NULL)
		return of_type(SQL_FALSE);
	return sql_compare(left, right, &order) ? of_bool(order == 0) : of_type(SQL_FAIL);
}

static struct sql_value order_of(enum sql_op op, struct sql_value left, struct sql_value right)
{
	int order;

	if (left.type == SQL_FAIL || left.type == SQL_NULL)
		return left;
	if (right.type == SQL_FAIL || right.type == SQL_NULL)
		return right;
	if (left.type == SQL_TEXT && right.type == SQL_TEXT && !convert(&left, SQL_DOUBLE))
		return of_type(SQL_FAIL);
	if (!sql_compare(left, right, &order))
		return of_type(SQL_FAIL);
	switch (op) {
	case OP_GREATER:
		return of_bool(order > 0);
	case OP_GREATER_EQUAL:
		return of_bool(order >= 0);
	case OP_LESS:
		return of_bool(order < 0);
	default:
		return of_bool(order <= 0);
	}
}

/* ---- logic: LogicExpression */

/* AND, with decides == SQL_FALSE, or OR. A failed left side is not looked past. */
static struct sql_value combine(enum sql_type decides, struct sql_value left,
				struct sql_value right)
{
	if (left.type == decides || left.type == SQL_FAIL)
		return left;
	if (right.type == decides || right.type == SQL_FAIL)
		return right;
	return left.type == SQL_NULL ? left : right;
}

static struct sql_value between(const struct sql_value *operands)
{
	return combine(SQL_FALSE, order_of(OP_GREATER_EQUAL, operands[0], operands[1]),
		       order_of(OP_LESS_EQUAL, operands[0], operands[2]));
}

static struct sql_value not_between(const struct sql_value *operands)
{
	return combine(SQL_TRUE, order_of(OP_LESS, operands[0], operands[1]),
		       order_of(OP_GREATER, operands[0], operands[2]));
}

/* ---- operators of one operand */

static struct sql_value negate(struct sql_value value)
{
	switch (value.type) {
	case SQL_INT: /* constants are not negative, so the least never comes here */
	case SQL_LONG:
		value.integer = -value.integer;
		return value;
	case SQL_DOUBLE:
		value.number = -value.number;
		return value;
	case SQL_FAIL:
		return value;
	default:
		return of_type(SQL_NULL);
	}
}

static struct sql_value not(struct sql_value value)
{
	return is_bool(value) ? of_bool(value.type == SQL_FALSE) : value;
}

/* A property alone is no Boolean, whatever it says. */
static struct sql_value cast(struct sql_value value)
{
	return value.type == SQL_TEXT ? of_type(SQL_FALSE) : value;
}

static bool contains(const struct gantry_filter *filter, struct sql_span items,
		     struct sql_value value)
{
	uint32_t from = items.at, to = items.at + items.size;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		struct sql_span item = filter->items[middle];
		int order = sql_compare_texts(value.text, value.size, filter->texts + item.at,
					      item.size);

		if (!order)
			return true;
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return false;
}

static struct sql_value in(const struct run *run, const struct sql_step *step,
			   struct sql_value value)
{
	if (value.type != SQL_TEXT)
		return of_type(SQL_NULL);
	return of_bool(contains(run->filter, step->items, value) == (step->op == OP_IN));
}

/* CONTAINS and its like. With nothing to search for, all of them are false. */
static struct sql_value search(const struct run *run, const struct sql_step *step,
			       struct sql_value value)
{
	const char *text = run->filter->texts + step->text.at;
	uint32_t size = step->text.size;
	bool found = false;

	if (!size)
		return of_type(SQL_FALSE);
	if (value.type != SQL_TEXT)
		return of_type(value.type == SQL_FAIL ? SQL_FAIL : SQL_FALSE);
	if (step->op == OP_CONTAINS || step->op == OP_NOT_CONTAINS)
		found = memmem(value.text, value.size, text, size) != NULL;
	else if (size <= value.size)
		found = memcmp(step->op == OP_STARTS || step->op == OP_NOT_STARTS
				       ? value.text
				       : value.text + value.size - size,
			       text, size) == 0;
	return of_bool(found ==
		       (step->op == OP_CONTAINS || step->op == OP_STARTS || step->op == OP_ENDS));
}

/* ---- the whole */

static struct sql_value constant(const struct run *run, const struct sql_step *step)
{
	const struct gantry_filter *filter = run->filter;
	struct gantry_str property;

	switch (step->op) {
	case OP_TEXT:
		return (struct sql_value){.type = SQL_TEXT,
					  .size = step->text.size,
					  .text = filter->texts + step->text.at};
	case OP_INT:
		return (struct sql_value){.type = SQL_INT, .integer = step->integer};
	case OP_LONG:
		return (struct sql_value){.type = SQL_LONG, .integer = step->integer};
	case OP_DOUBLE:
		return (struct sql_value){.type = SQL_DOUBLE, .number = step->number};
	case OP_TRUE:
	case OP_FALSE:
		return of_bool(step->op == OP_TRUE);
	case OP_PROPERTY:
		property = run->properties[step->name];
		if (property.at)
			return (struct sql_value){.type = SQL_TEXT,
						  .size = (uint32_t)property.size,
						  .text = property.at};
		return of_type(SQL_NULL);
	default:
		return of_type(SQL_NULL);
	}
}

static struct sql_value of_one(const struct run *run, const struct sql_step *step,
			       struct sql_value value)
{
	switch (step->op) {
	case OP_NEGATE:
		return negate(value);
	case OP_NOT:
		return not(value);
	case OP_CAST:
		return cast(value);
	case OP_IN:
	case OP_NOT_IN:
		return in(run, step, value);
	default:
		return search(run, step, value);
	}
}

static struct sql_value of_two(const struct sql_step *step, const struct sql_value *operands)
{
	switch (step->op) {
	case OP_EQUAL:
		return equal(operands[0], operands[1]);
	case OP_AND:
		return combine(SQL_FALSE, operands[0], operands[1]);
	case OP_OR:
		return combine(SQL_TRUE, operands[0], operands[1]);
	default:
		return order_of(step->op, operands[0], operands[1]);
	}
}

static bool decides(const struct sql_step *step, struct sql_value value)
{
	return value.type == SQL_FAIL ||
	       value.type == (step->op == OP_DECIDED_AND ? SQL_FALSE : SQL_TRUE);
}

/* Runs one step; returns the next one. */
static uint32_t run_step(struct run *run, uint32_t at)
{
	const struct sql_step *step = &run->filter->steps[at];
	struct sql_value *top = &run->stack[run->depth];

	switch (step->op) {
	case OP_TEXT ... OP_PROPERTY:
		*top = constant(run, step);
		run->depth++;
		break;
	case OP_EQUAL ... OP_LESS_EQUAL:
	case OP_AND:
	case OP_OR:
		top[-2] = of_two(step, top - 2);
		run->depth--;
		break;
	case OP_BETWEEN:
	case OP_NOT_BETWEEN:
		top[-3] = step->op == OP_BETWEEN ? between(top - 3) : not_between(top - 3);
		run->depth -= 2;
		break;
	case OP_DECIDED_AND:
	case OP_DECIDED_OR:
		return decides(step, top[-1]) ? step->target : at + 1;
	default:
		top[-1] = of_one(run, step, top[-1]);
	}
	return at + 1;
}

static void take_property(struct run *run, const struct message_property *property)
{
	const struct gantry_filter *filter = run->filter;

	if (!(filter->name_sizes >> (property->key.size & 63) & 1))
		return;
	for (uint32_t i = 0; i < filter->name_count; i++) {
		struct sql_span name = filter->names[i];

		if (name.size == property->key.size &&
		    memcmp(filter->texts + name.at, property->key.at, name.size) == 0)
			run->properties[i] = property->value;
	}
}

enum sql_type sql_evaluate(const struct gantry_filter *filter, struct gantry_str properties)
{
	struct message_property property;
	struct run run;

	run.filter = filter;
	run.depth = 0;
	memset(run.properties, 0, filter->name_count * sizeof(run.properties[0]));
	while (message_property_next(&properties, &property))
		take_property(&run, &property);
	for (uint32_t at = 0; at < filter->count;)
		at = run_step(&run, at);
	return run.stack[0].type;
}
