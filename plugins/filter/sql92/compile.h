/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling an expression: what the scanner, the grammar and the checks share. One compilation is
 * one thread's; nothing of it outlives sql_compile(). */
#ifndef COMPILE_H
#define COMPILE_H

#include <setjmp.h>

#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A part of the expression whose steps are done: the last one is end - 1. */
struct sql_operand {
	uint32_t start, end;
};

struct sql_compile {
	struct gantry_filter *filter;
	const char *text; /* the expression */
	uint32_t size;
	char *buffer; /* the scanner's copy, and two NULs that it wants */
	void *scanner;
	jmp_buf no_memory;               /* where flex ends when it gets none */
	uint32_t token_at, token_size;   /* the newest token, in text */
	uint32_t before_at, before_size; /* and the one before it */
	uint32_t tokens;                 /* so far */
	uint32_t null_test;              /* of these, when the newest IS NULL was complete */
	uint32_t line_end;               /* behind the last line's end; 0: there is none */
	uint32_t depth;                  /* values on the stack here */
	uint32_t plus_depth;             /* operands of unary + around the newest token */
	uint32_t plus_at;                /* the outermost of these + */
	int status;                      /* 0, or the errno to end with; why says why */
	bool refused;                    /* by what is only told when the outermost + is done */
	char *why;
	size_t why_size;
};

/* As gantry_filter_ops.compile. Any thread. */
int sql_compile(struct gantry_str expression, struct gantry_filter **ret, char *why,
		size_t why_size);
void sql_free(struct gantry_filter *filter);

/* ---- scanning: what flex writes from scanner.l */

/* Nonzero: no memory. Both may end in a longjmp to no_memory. */
int sql_scan_begin(struct sql_compile *compile);
/* The next token, as grammar.h names them, 0 at the end; also sets token_at and so on. */
int sql_scan_next(struct sql_compile *compile);
void sql_scan_end(struct sql_compile *compile);

/* ---- building, for the grammar. All return 0, or nonzero to end the parse with status. */

int sql_put_text(struct sql_compile *compile, struct gantry_str literal, struct sql_operand *ret);
int sql_put_integer(struct sql_compile *compile, struct gantry_str digits, struct sql_operand *ret);
int sql_put_double(struct sql_compile *compile, struct gantry_str text, struct sql_operand *ret);
int sql_put_constant(struct sql_compile *compile, enum sql_op op, struct sql_operand *ret);
int sql_put_property(struct sql_compile *compile, struct gantry_str name, struct sql_operand *ret);
int sql_put_negate(struct sql_compile *compile, struct sql_operand *operand);
int sql_put_not(struct sql_compile *compile, struct sql_operand *operand);
/* left becomes the comparison of both */
int sql_put_equal(struct sql_compile *compile, struct sql_operand *left, struct sql_operand right,
		  bool negated);
int sql_put_is_null(struct sql_compile *compile, struct sql_operand *left, bool negated);
int sql_put_order(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
		  struct sql_operand right);
int sql_put_between(struct sql_compile *compile, enum sql_op op, struct sql_operand *value,
		    struct sql_operand low, struct sql_operand high);
int sql_put_search(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
		   struct gantry_str literal);
int sql_add_item(struct sql_compile *compile, struct gantry_str literal);
int sql_put_in(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
	       uint32_t first_item);
/* Between the operands of AND and OR. */
int sql_put_decided(struct sql_compile *compile, enum sql_op op, struct sql_operand *left);
int sql_put_logic(struct sql_compile *compile, enum sql_op op, struct sql_operand *left,
		  struct sql_operand right);
int sql_put_end(struct sql_compile *compile, struct sql_operand *all);

void sql_enter_plus(struct sql_compile *compile);
int sql_leave_plus(struct sql_compile *compile);

/* ---- what is said, in the words of RocketMQ's filter */

/* Ends the compilation, or, in the operand of a unary +, puts that off: RocketMQ looks at its
 * syntax first. Returns nonzero to end the parse. */
int sql_refuse(struct sql_compile *compile, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same where part of the message is a part of the expression, as RocketMQ prints it. */
int sql_refuse_operand(struct sql_compile *compile, const char *before, struct sql_operand operand,
		       const char *after);
/* BETWEEN: what can not be compared, and what is the wrong way round. */
int sql_refuse_mix(struct sql_compile *compile, struct sql_value left, struct sql_value right);
int sql_refuse_bounds(struct sql_compile *compile, struct sql_value low, struct sql_value high);
int sql_no_memory(struct sql_compile *compile);

/* Token kinds in the order in which RocketMQ lists them. */
enum sql_word {
	WORD_END,
	WORD_NOT,
	WORD_AND,
	WORD_OR,
	WORD_BETWEEN,
	WORD_IN,
	WORD_TRUE,
	WORD_FALSE,
	WORD_NULL,
	WORD_IS,
	WORD_CONTAINS,
	WORD_STARTSWITH,
	WORD_ENDSWITH,
	WORD_DECIMAL,
	WORD_FLOATING,
	WORD_STRING,
	WORD_ID,
	WORD_EQUAL,
	WORD_NOT_EQUAL,
	WORD_GREATER,
	WORD_GREATER_EQUAL,
	WORD_LESS,
	WORD_LESS_EQUAL,
	WORD_OPEN,
	WORD_COMMA,
	WORD_CLOSE,
	WORD_MINUS,
	WORD_PLUS,
	WORD_COUNT,
};

/* The newest token, of kind found, is not one of expected (bit n: enum sql_word n). */
void sql_refuse_token(struct sql_compile *compile, enum sql_word found, uint32_t expected);
/* No token begins at that byte of the text. */
void sql_refuse_text(struct sql_compile *compile, uint32_t at);

#ifdef __cplusplus
}
#endif
#endif
