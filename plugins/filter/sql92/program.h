/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled SQL92 expression: steps in postfix order over a stack of values, so that neither the
 * parser nor the evaluation recurses. What each step does is what RocketMQ's expression classes do
 * (rocketmq-filter 5.5.0). */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>

#include <gantry/filter.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	SQL_EXPRESSION_MAX = 64 * 1024, /* bytes */
	SQL_STACK_MAX = 256,            /* values that wait for their operator */
	SQL_NAMES_MAX = 256,            /* different properties of one expression */
};

/* Java's types, as far as an expression can meet them. FAIL is an exception of Java's evaluation:
 * whatever needs the value fails as well. */
enum sql_type {
	SQL_NULL,
	SQL_FALSE,
	SQL_TRUE,
	SQL_INT, /* Integer and Long differ: a text that is compared with 5 must fit an Integer */
	SQL_LONG,
	SQL_DOUBLE,
	SQL_TEXT,
	SQL_FAIL,
};

struct sql_value {
	enum sql_type type;
	uint32_t size; /* of text */
	union {
		const char *text; /* borrowed from the filter or the record */
		int64_t integer;
		double number;
	};
};

enum sql_op {
	/* constants: RocketMQ's ConstantExpression */
	OP_TEXT,
	OP_INT,
	OP_LONG,
	OP_DOUBLE,
	OP_NULL, /* this and the next two are BooleanExpressions as well */
	OP_FALSE,
	OP_TRUE,
	OP_PROPERTY,
	OP_NEGATE,
	/* all that follow are BooleanExpressions */
	OP_CAST,
	OP_NOT,
	OP_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_BETWEEN,
	OP_NOT_BETWEEN,
	OP_IN,
	OP_NOT_IN,
	OP_CONTAINS,
	OP_NOT_CONTAINS,
	OP_STARTS,
	OP_NOT_STARTS,
	OP_ENDS,
	OP_NOT_ENDS,
	OP_AND,
	OP_OR,
	/* between the operands of the last two: on to target if the left one decides */
	OP_DECIDED_AND,
	OP_DECIDED_OR,
};

struct sql_span {
	uint32_t at, size;
};

struct sql_step {
	enum sql_op op;
	uint32_t start; /* the first step of this operator's operands */
	union {
		struct sql_span text;  /* in texts; also what CONTAINS and its like search for */
		struct sql_span items; /* IN: in items */
		int64_t integer;
		double number;
		uint32_t name;   /* in names */
		uint32_t target; /* the step to go on with */
	};
};

/* Growing while it is compiled, then constant. Offsets, not pointers: the arrays move. */
struct gantry_filter {
	struct sql_step *steps;
	uint32_t count, room;
	struct sql_span *names; /* properties, each once, in texts */
	uint32_t name_count, name_room;
	struct sql_span *items; /* of IN lists; each list is sorted in the end */
	uint32_t item_count, item_room;
	char *texts;
	uint32_t text_size, text_room;
	uint64_t name_sizes; /* bit n: a name has n bytes, or n + 64, ... */
};

/* RocketMQ's ComparisonExpression.__compare() of what is not null. False: Java throws. */
bool sql_compare(struct sql_value left, struct sql_value right, int *ret);

/* The order of IN lists. */
static inline int sql_compare_texts(const char *left, uint32_t left_size, const char *right,
				    uint32_t right_size)
{
	uint32_t common = left_size < right_size ? left_size : right_size;
	int differs = common ? __builtin_memcmp(left, right, common) : 0;

	return differs ? differs : (left_size > right_size) - (left_size < right_size);
}

/* Evaluates it against a message's properties text, as stored. Any thread; never allocates. */
enum sql_type sql_evaluate(const struct gantry_filter *filter, struct gantry_str properties);

#ifdef __cplusplus
}
#endif
#endif
