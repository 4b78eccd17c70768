%code top {
/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of RocketMQ's SelectorParser.jj (rocketmq-filter 5.5.0). Steps are put as their
 * operators are reduced, so the order of checks is that of the Java parser: an operand's before its
 * operator's. */
}

%code requires {
#include "compile.h"
}

%code {
#include <errno.h>
#include <stdio.h>


/* Deep nesting ends in "memory exhausted", long before there is none. */
#define YYMAXDEPTH 4096

#define DO(call)                \
	do {                    \
		if (call)       \
			YYABORT; \
	} while (0)

static int sql_parse_lex(SQL_PARSE_STYPE *value, struct sql_compile *compile);
static void sql_parse_error(struct sql_compile *compile, const char *message);
}

%define api.prefix {sql_parse_}
%define api.pure full
%define parse.error custom
%param {struct sql_compile *compile}

%union {
	struct gantry_str text;
	struct sql_operand operand;
	uint32_t item;
}

/* In the order of enum sql_word. */
%token <text>
	T_NOT T_AND T_OR T_BETWEEN T_IN T_TRUE T_FALSE T_NULL T_IS T_CONTAINS
	T_STARTSWITH T_ENDSWITH T_DECIMAL T_FLOATING T_STRING T_ID T_EQUAL
	T_NOT_EQUAL T_GREATER T_GREATER_EQUAL T_LESS T_LESS_EQUAL T_OPEN T_COMMA
	T_CLOSE T_MINUS T_PLUS
%token T_NO_TOKEN
%type <operand> or and equality comparison unary primary literal
%type <item> items

%expect 30
%start selector

%%

/* A token that does not continue the expression ends it; what follows is not even looked at, as in
 * Java. Where a token may do either, it continues: that is what the conflicts are about. */
selector: or after { DO(sql_put_end(compile, &$1)); YYACCEPT; }
	;

after: %empty | T_NOT | T_BETWEEN | T_IN | T_TRUE | T_FALSE | T_NULL | T_CONTAINS
	| T_STARTSWITH | T_ENDSWITH | T_DECIMAL | T_FLOATING | T_STRING | T_ID
	| T_GREATER | T_GREATER_EQUAL | T_LESS | T_LESS_EQUAL | T_OPEN | T_COMMA
	| T_CLOSE | T_MINUS | T_PLUS
	;

or: and
	| or T_OR { DO(sql_put_decided(compile, OP_DECIDED_OR, &$1)); } and
		{ $$ = $1; DO(sql_put_logic(compile, OP_OR, &$$, $4)); }
	;

and: equality
	| and T_AND { DO(sql_put_decided(compile, OP_DECIDED_AND, &$1)); } equality
		{ $$ = $1; DO(sql_put_logic(compile, OP_AND, &$$, $4)); }
	;

equality: comparison
	| equality T_EQUAL comparison
		{ $$ = $1; DO(sql_put_equal(compile, &$$, $3, false)); }
	| equality T_NOT_EQUAL comparison
		{ $$ = $1; DO(sql_put_equal(compile, &$$, $3, true)); }
	| equality T_IS T_NULL
		{ $$ = $1; DO(sql_put_is_null(compile, &$$, false)); }
	| equality T_IS T_NOT T_NULL
		{ $$ = $1; DO(sql_put_is_null(compile, &$$, true)); }
	;

comparison: unary
	| comparison T_GREATER unary
		{ $$ = $1; DO(sql_put_order(compile, OP_GREATER, &$$, $3)); }
	| comparison T_GREATER_EQUAL unary
		{ $$ = $1; DO(sql_put_order(compile, OP_GREATER_EQUAL, &$$, $3)); }
	| comparison T_LESS unary
		{ $$ = $1; DO(sql_put_order(compile, OP_LESS, &$$, $3)); }
	| comparison T_LESS_EQUAL unary
		{ $$ = $1; DO(sql_put_order(compile, OP_LESS_EQUAL, &$$, $3)); }
	| comparison T_CONTAINS T_STRING
		{ $$ = $1; DO(sql_put_search(compile, OP_CONTAINS, &$$, $3)); }
	| comparison T_NOT T_CONTAINS T_STRING
		{ $$ = $1; DO(sql_put_search(compile, OP_NOT_CONTAINS, &$$, $4)); }
	| comparison T_STARTSWITH T_STRING
		{ $$ = $1; DO(sql_put_search(compile, OP_STARTS, &$$, $3)); }
	| comparison T_NOT T_STARTSWITH T_STRING
		{ $$ = $1; DO(sql_put_search(compile, OP_NOT_STARTS, &$$, $4)); }
	| comparison T_ENDSWITH T_STRING
		{ $$ = $1; DO(sql_put_search(compile, OP_ENDS, &$$, $3)); }
	| comparison T_NOT T_ENDSWITH T_STRING
		{ $$ = $1; DO(sql_put_search(compile, OP_NOT_ENDS, &$$, $4)); }
	| comparison T_BETWEEN unary T_AND unary
		{ $$ = $1; DO(sql_put_between(compile, OP_BETWEEN, &$$, $3, $5)); }
	| comparison T_NOT T_BETWEEN unary T_AND unary
		{ $$ = $1; DO(sql_put_between(compile, OP_NOT_BETWEEN, &$$, $4, $6)); }
	| comparison T_IN T_OPEN items T_CLOSE
		{ $$ = $1; DO(sql_put_in(compile, OP_IN, &$$, $4)); }
	| comparison T_NOT T_IN T_OPEN items T_CLOSE
		{ $$ = $1; DO(sql_put_in(compile, OP_NOT_IN, &$$, $5)); }
	;

items: T_STRING
		{ $$ = compile->filter->item_count; DO(sql_add_item(compile, $1)); }
	| items T_COMMA T_STRING
		{ $$ = $1; DO(sql_add_item(compile, $3)); }
	;

unary: primary
	| T_PLUS { sql_enter_plus(compile); } unary
		{ $$ = $3; DO(sql_leave_plus(compile)); }
	| T_MINUS unary
		{ $$ = $2; DO(sql_put_negate(compile, &$$)); }
	| T_NOT unary
		{ $$ = $2; DO(sql_put_not(compile, &$$)); }
	;

primary: literal
	| T_ID { DO(sql_put_property(compile, $1, &$$)); }
	| T_OPEN or T_CLOSE { $$ = $2; }
	;

literal: T_STRING { DO(sql_put_text(compile, $1, &$$)); }
	| T_DECIMAL { DO(sql_put_integer(compile, $1, &$$)); }
	| T_FLOATING { DO(sql_put_double(compile, $1, &$$)); }
	| T_TRUE { DO(sql_put_constant(compile, OP_TRUE, &$$)); }
	| T_FALSE { DO(sql_put_constant(compile, OP_FALSE, &$$)); }
	| T_NULL { DO(sql_put_constant(compile, OP_NULL, &$$)); }
	;

%%

static int sql_parse_lex(SQL_PARSE_STYPE *value, struct sql_compile *compile)
{
	int token = sql_scan_next(compile);

	if (token == T_NO_TOKEN) {
		sql_refuse_text(compile, compile->token_at);
		return SQL_PARSE_error;
	}
	value->text = (struct gantry_str){compile->text + compile->token_at, compile->token_size};
	return token;
}

/* Bison knows no other error but that of its stacks. */
static void sql_parse_error(struct sql_compile *compile, const char *message)
{
	(void)message;
	compile->status = -EINVAL;
	snprintf(compile->why, compile->why_size, "the expression is nested too deep");
}

_Static_assert(YYSYMBOL_T_PLUS - YYSYMBOL_T_NOT == WORD_PLUS - WORD_NOT, "another order");

static enum sql_word word_of(yysymbol_kind_t symbol)
{
	if (symbol < YYSYMBOL_T_NOT || symbol > YYSYMBOL_T_PLUS)
		return WORD_END;
	return (enum sql_word)(symbol - YYSYMBOL_T_NOT + WORD_NOT);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct sql_compile *compile)
{
	yysymbol_kind_t symbols[YYNTOKENS];
	int count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
	uint32_t expected = 0;

	/* what bison reduced before it found out is what Java's parser returned from by then; only the
	 * words that these levels would have taken are to be added */
	for (int i = 0; i < count; i++)
		expected |= 1u << word_of(symbols[i]);
	sql_refuse_token(compile, word_of(yypcontext_token(context)), expected);
	return 0;
}
