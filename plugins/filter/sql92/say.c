/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an expression that is refused: word for word what RocketMQ's broker answers,
 * which is the text of the exception that ended its parser (rocketmq-filter 5.5.0, made by JavaCC).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compile.h"
#include "number.h"

#define PARSE_EXCEPTION "org.apache.rocketmq.filter.parser.ParseException: "
#define TOKEN_ERROR "org.apache.rocketmq.filter.parser.TokenMgrError: "

/* ---- writing into why, as much as it takes */

struct out {
	char *at;
	size_t room; /* with the NUL */
};

static struct out begin(struct sql_compile *compile)
{
	struct out out = {compile->why, compile->why_size};

	if (out.room)
		out.at[0] = 0;
	return out;
}

static bool is_full(const struct out *out)
{
	return out->room <= 1;
}

static void put_bytes(struct out *out, const char *text, size_t size)
{
	if (is_full(out))
		return;
	if (size >= out->room) {
		size = out->room - 1;
		while (size && ((uint8_t)text[size] & 0xc0) == 0x80) /* no part of a letter */
			size--;
		out->room = size + 1;
	}
	memcpy(out->at, text, size);
	out->at += size;
	out->room -= size;
	out->at[0] = 0;
}

static void put(struct out *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

static void put_number(struct out *out, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	put(out, text);
}

/* ---- letters as Java counts them: UTF-16 units */

/* Takes a letter off the text, 0 at its end. */
static uint32_t next_letter(const char **at, const char *end)
{
	const uint8_t *from = (const uint8_t *)*at;
	size_t left = (size_t)(end - *at), size = 1;
	uint32_t letter;

	if (!left)
		return 0;
	letter = from[0];
	if (letter >= 0xf0 && left >= 4) {
		size = 4;
		letter = (letter & 7) << 18 | (from[1] & 63u) << 12 | (from[2] & 63u) << 6 |
			 (from[3] & 63u);
	} else if (letter >= 0xe0 && left >= 3) {
		size = 3;
		letter = (letter & 15) << 12 | (from[1] & 63u) << 6 | (from[2] & 63u);
	} else if (letter >= 0xc0 && left >= 2) {
		size = 2;
		letter = (letter & 31) << 6 | (from[1] & 63u);
	}
	*at += size;
	return letter;
}

static uint32_t first_unit(uint32_t letter)
{
	return letter > 0xffff ? 0xd7c0 + (letter >> 10) : letter;
}

static void put_unit(struct out *out, uint32_t unit)
{
	static const char escaped[] = "\b\t\n\f\r\"'\\", letters[] = "btnfr\"'\\";
	const char *found = unit && unit < 0x80 ? strchr(escaped, (int)unit) : NULL;
	char text[16];

	if (!unit)
		return;
	if (found)
		snprintf(text, sizeof(text), "\\%c", letters[found - escaped]);
	else if (unit < 0x20 || unit > 0x7e)
		snprintf(text, sizeof(text), "\\u%04x", unit);
	else
		snprintf(text, sizeof(text), "%c", (char)unit);
	put(out, text);
}

/* JavaCC's add_escapes(). */
static void put_escaped(struct out *out, const char *at, const char *end)
{
	while (at < end && !is_full(out)) {
		uint32_t letter = next_letter(&at, end);

		put_unit(out, first_unit(letter));
		if (letter > 0xffff)
			put_unit(out, 0xdc00 | (letter & 0x3ff));
	}
}

/* JavaCC's SimpleCharStream: where it stands when it has read the text up to a byte. */
struct place {
	uint32_t line, column;
};

static struct place place_of(const struct sql_compile *compile, uint32_t end)
{
	struct place place = {0, 0};
	const char *at = compile->text;
	uint32_t before = 0;

	if (end)
		place.line = 1;
	while (at < compile->text + end) {
		uint32_t letter = next_letter(&at, compile->text + end);

		place.column++;
		if (before == '\n' || (before == '\r' && letter != '\n')) {
			place.line++;
			place.column = 1;
		}
		if (letter == '\t')
			place.column += 7 - (place.column - 1) % 8;
		place.column += letter > 0xffff;
		before = letter;
	}
	return place;
}

static void put_place(struct out *out, struct place place)
{
	put(out, " at line ");
	put_number(out, place.line);
	put(out, ", column ");
	put_number(out, place.column);
	put(out, ".");
}

/* ---- parts of the expression, as its Java objects print themselves */

static void put_quoted(struct out *out, const char *text, uint32_t size)
{
	put(out, "'");
	for (uint32_t i = 0, from = 0; i < size; i++) {
		if (text[i] == '\'' || i + 1 == size) {
			put_bytes(out, text + from, i + 1 - from);
			from = i + 1;
		}
		if (text[i] == '\'')
			put(out, "'");
	}
	put(out, "'");
}

static void put_double(struct out *out, double number)
{
	char text[JAVA_DOUBLE_TEXT];

	java_double_text(number, text);
	put(out, text);
}

static void put_constant(struct out *out, const struct gantry_filter *filter,
			 const struct sql_step *step)
{
	struct sql_span name;

	switch (step->op) {
	case OP_TEXT:
		put_quoted(out, filter->texts + step->text.at, step->text.size);
		break;
	case OP_DOUBLE:
		put_double(out, step->number);
		break;
	case OP_INT:
	case OP_LONG:
		put_number(out, step->integer);
		break;
	case OP_PROPERTY:
		name = filter->names[step->name];
		put_bytes(out, filter->texts + name.at, name.size);
		break;
	default:
		put(out, step->op == OP_NULL ? "NULL" : step->op == OP_TRUE ? "TRUE" : "FALSE");
	}
}

/* A list of five or more is printed in the order of Java's HashSet there, in its own here. */
static void put_in(struct out *out, const struct gantry_filter *filter, const struct sql_step *step)
{
	put_constant(out, filter, step - 1); /* a property, always */
	put(out, step->op == OP_IN ? " IN ( " : " NOT IN ( ");
	for (uint32_t i = 0; i < step->items.size && !is_full(out); i++) {
		struct sql_span item = filter->items[step->items.at + i];

		put(out, i ? ", " : "");
		put_bytes(out, filter->texts + item.at, item.size);
	}
	put(out, " )");
}

static const char *symbol_of(enum sql_op op)
{
	static const char *const symbols[] = {
		[OP_NEGATE] = "-",
		[OP_NOT] = "NOT",
		[OP_EQUAL] = "==",
		[OP_GREATER] = ">",
		[OP_GREATER_EQUAL] = ">=",
		[OP_LESS] = "<",
		[OP_LESS_EQUAL] = "<=",
		[OP_CONTAINS] = "CONTAINS",
		[OP_NOT_CONTAINS] = "NOT CONTAINS",
		[OP_STARTS] = "STARTSWITH",
		[OP_NOT_STARTS] = "NOT STARTSWITH",
		[OP_ENDS] = "ENDSWITH",
		[OP_NOT_ENDS] = "NOT ENDSWITH",
		[OP_AND] = "&&",
		[OP_OR] = "||",
	};

	return symbols[op];
}

static void put_steps(struct out *out, const struct gantry_filter *filter, uint32_t end);

/* Each call has put a bracket before the next, so they nest no deeper than there is room. */
static void put_pair(struct out *out, const struct gantry_filter *filter, uint32_t left_end,
		     enum sql_op op, uint32_t right_end)
{
	put(out, "(");
	put_steps(out, filter, left_end);
	put(out, " ");
	put(out, symbol_of(op));
	put(out, " ");
	put_steps(out, filter, right_end);
	put(out, ")");
}

static void put_between(struct out *out, const struct gantry_filter *filter, uint32_t end)
{
	bool not = filter->steps[end - 1].op == OP_NOT_BETWEEN;
	uint32_t low_end = filter->steps[end - 2].start;
	uint32_t value_end = filter->steps[low_end - 1].start;

	put(out, "(");
	put_pair(out, filter, value_end, not ? OP_LESS : OP_GREATER_EQUAL, low_end);
	put(out, not ? " || " : " && ");
	put_pair(out, filter, value_end, not ? OP_GREATER : OP_LESS_EQUAL, end - 1);
	put(out, ")");
}

/* The part of the expression whose last step stands before end. */
static void put_steps(struct out *out, const struct gantry_filter *filter, uint32_t end)
{
	const struct sql_step *step = &filter->steps[end - 1];

	if (is_full(out))
		return;
	switch (step->op) {
	case OP_TEXT ... OP_PROPERTY:
		put_constant(out, filter, step);
		break;
	case OP_CAST:
		put_constant(out, filter, step - 1);
		break;
	case OP_IN:
	case OP_NOT_IN:
		put_in(out, filter, step);
		break;
	case OP_BETWEEN:
	case OP_NOT_BETWEEN:
		put_between(out, filter, end);
		break;
	case OP_EQUAL ... OP_LESS_EQUAL:
		put_pair(out, filter, step[-1].start, step->op, end - 1);
		break;
	case OP_AND:
	case OP_OR: /* the left side ends before the step between them */
		put_pair(out, filter, step[-1].start - 1, step->op, end - 1);
		break;
	default:
		put(out, "(");
		put(out, symbol_of(step->op));
		put(out, " ");
		put_steps(out, filter, end - 1);
		put(out, ")");
	}
}

/* ---- the checks of expressions */

/* Whether the message may be written: the first of those that are put off stays. */
static bool takes_message(const struct sql_compile *compile)
{
	return !compile->refused;
}

static int refused(struct sql_compile *compile)
{
	compile->refused = true;
	if (compile->plus_depth)
		return 0;
	compile->status = -EINVAL;
	return -1;
}

int sql_refuse(struct sql_compile *compile, const char *format, ...)
{
	va_list args;

	if (takes_message(compile)) {
		va_start(args, format);
		vsnprintf(compile->why, compile->why_size, format, args);
		va_end(args);
	}
	return refused(compile);
}

int sql_refuse_operand(struct sql_compile *compile, const char *before, struct sql_operand operand,
		       const char *after)
{
	if (takes_message(compile)) {
		struct out out = begin(compile);

		put(&out, before);
		put_steps(&out, compile->filter, operand.end);
		put(&out, after);
	}
	return refused(compile);
}

int sql_refuse_mix(struct sql_compile *compile, struct sql_value left, struct sql_value right)
{
	struct sql_value text = left.type == SQL_TEXT ? left : right;
	struct sql_value other = left.type == SQL_TEXT ? right : left;
	struct out out;

	if (takes_message(compile)) {
		out = begin(compile);
		if (other.type == SQL_TRUE || other.type == SQL_FALSE) {
			put(&out,
			    "java.lang.ClassCastException: class java.lang.Boolean cannot be "
			    "cast to class java.lang.String (java.lang.Boolean and "
			    "java.lang.String are in module java.base of loader 'bootstrap')");
		} else {
			put(&out, "java.lang.RuntimeException: java.lang.NumberFormatException: ");
			if (!text.size && other.type == SQL_DOUBLE) {
				put(&out, "empty String");
			} else {
				put(&out, "For input string: \"");
				put_bytes(&out, text.text, text.size);
				put(&out, "\"");
			}
		}
	}
	return refused(compile);
}

static void put_value(struct out *out, struct sql_value value)
{
	switch (value.type) {
	case SQL_TEXT:
		put_bytes(out, value.text, value.size);
		break;
	case SQL_DOUBLE:
		put_double(out, value.number);
		break;
	case SQL_INT:
	case SQL_LONG:
		put_number(out, value.integer);
		break;
	default:
		put(out, value.type == SQL_TRUE ? "true" : "false");
	}
}

int sql_refuse_bounds(struct sql_compile *compile, struct sql_value low, struct sql_value high)
{
	struct out out;

	if (takes_message(compile)) {
		out = begin(compile);
		put(&out, "java.lang.RuntimeException: Illegal values of between, left value(");
		put_value(&out, low);
		put(&out, ") must less than or equal to right value(");
		put_value(&out, high);
		put(&out, ")");
	}
	return refused(compile);
}

int sql_no_memory(struct sql_compile *compile)
{
	compile->status = -ENOMEM;
	snprintf(compile->why, compile->why_size, "no memory");
	return -1;
}

/* ---- unary +: RocketMQ looks at the syntax of its operand before it parses it */

void sql_enter_plus(struct sql_compile *compile)
{
	if (!compile->plus_depth++)
		compile->plus_at = compile->token_at;
}

int sql_leave_plus(struct sql_compile *compile)
{
	if (--compile->plus_depth || !compile->refused)
		return 0;
	compile->status = -EINVAL;
	return -1;
}

/* ---- the grammar */

/* As JavaCC's tokenImage. */
static const char *const images[WORD_COUNT] = {
	"<EOF>",
	"\"NOT\"",
	"\"AND\"",
	"\"OR\"",
	"\"BETWEEN\"",
	"\"IN\"",
	"\"TRUE\"",
	"\"FALSE\"",
	"\"NULL\"",
	"\"IS\"",
	"\"CONTAINS\"",
	"\"STARTSWITH\"",
	"\"ENDSWITH\"",
	"<DECIMAL_LITERAL>",
	"<FLOATING_POINT_LITERAL>",
	"<STRING_LITERAL>",
	"<ID>",
	"\"=\"",
	"\"<>\"",
	"\">\"",
	"\">=\"",
	"\"<\"",
	"\"<=\"",
	"\"(\"",
	"\",\"",
	"\")\"",
	"\"-\"",
	"\"+\"",
};

static void put_token(struct out *out, const struct sql_compile *compile, enum sql_word word,
		      uint32_t at, uint32_t size)
{
	put(out, "Encountered \"");
	put(out, word ? " " : "");
	put(out, images[word]);
	if (word) {
		put(out, " \"");
		put_escaped(out, compile->text + at, compile->text + at + size);
		put(out, " \"");
	}
	put(out, "\"");
	/* of the end, JavaCC tells where the last letter stands */
	put_place(out, place_of(compile, word ? at + 1 : compile->size));
}

static void put_expected(struct out *out, uint32_t expected)
{
	bool one = (expected & (expected - 1)) == 0;

	put(out, one ? "\nWas expecting:\n    " : "\nWas expecting one of:\n    ");
	for (unsigned word = 0; word < WORD_COUNT; word++) {
		if (!(expected >> word & 1))
			continue;
		put(out, images[word]);
		put(out, " ...\n    ");
	}
}

enum {
	SEARCHES = 1 << WORD_BETWEEN | 1 << WORD_IN | 1 << WORD_CONTAINS | 1 << WORD_STARTSWITH |
		   1 << WORD_ENDSWITH,
	ORDERS =
		1 << WORD_GREATER | 1 << WORD_GREATER_EQUAL | 1 << WORD_LESS | 1 << WORD_LESS_EQUAL,
	TESTS = 1 << WORD_IS | 1 << WORD_EQUAL | 1 << WORD_NOT_EQUAL | 1 << WORD_AND | 1 << WORD_OR,
	OPERANDS = 1 << WORD_NOT | 1 << WORD_TRUE | 1 << WORD_FALSE | 1 << WORD_NULL |
		   1 << WORD_DECIMAL | 1 << WORD_FLOATING | 1 << WORD_STRING | 1 << WORD_ID |
		   1 << WORD_OPEN | 1 << WORD_MINUS,
};

void sql_refuse_token(struct sql_compile *compile, enum sql_word found, uint32_t expected)
{
	struct out out = begin(compile);

	put(&out, PARSE_EXCEPTION);
	if (compile->plus_depth) {
		put_token(&out, compile, WORD_PLUS, compile->plus_at, 1);
		expected = OPERANDS;
	} else if (expected == SEARCHES) {
		/* behind a NOT; JavaCC looked ahead from there, and complains of that */
		put_token(&out, compile, WORD_NOT, compile->before_at, compile->before_size);
		expected |= ORDERS;
	} else {
		put_token(&out, compile, found, compile->token_at, compile->token_size);
		if (expected & 1 << WORD_OR) /* behind an expression in brackets */
			expected |= TESTS;
		if (expected & 1 << WORD_OR && compile->null_test != compile->tokens - 1)
			expected |= SEARCHES | ORDERS | 1 << WORD_NOT;
	}
	put_expected(&out, expected);
	compile->status = -EINVAL;
}

/* ---- the words */

/* How many bytes JavaCC's automaton reads before it gives up, the one that stops it included. */
static uint32_t read_in_vain(const struct sql_compile *compile, uint32_t at)
{
	const char *from = compile->text + at, *end = compile->text + compile->size;
	const char *to = from;
	uint32_t left = compile->size - at;

	if (from[0] == '\'' || (from[0] == '/' && left > 1 && from[1] == '*'))
		return left;
	next_letter(&to, end);
	if ((from[0] == '/' || from[0] == '.') && left > 1)
		next_letter(&to, end);
	return (uint32_t)(to - from);
}

void sql_refuse_text(struct sql_compile *compile, uint32_t at)
{
	uint32_t size = read_in_vain(compile, at), last = at, next = at;
	const char *end = compile->text + at + size, *letter_at = compile->text + at;
	bool at_end = at + size == compile->size;
	struct place place;
	struct out out = begin(compile);
	uint32_t letter = 0;

	while (letter_at < end) {
		last = next;
		letter = next_letter(&letter_at, end);
		next = (uint32_t)(letter_at - compile->text);
	}
	place = place_of(compile, last + 1);
	if (at_end && (letter == '\n' || letter == '\r'))
		place = (struct place){place.line + 1, 0};
	else if (at_end)
		place.column++;
	put(&out, TOKEN_ERROR "Lexical error");
	put_place(&out, place);
	put(&out, "  Encountered: ");
	if (at_end) {
		put(&out, "<EOF> ");
	} else {
		put(&out, "\"");
		put_unit(&out, first_unit(letter));
		put(&out, "\" (");
		put_number(&out, first_unit(letter));
		put(&out, "), ");
	}
	put(&out, "after : \"");
	if (last > at)
		put_escaped(&out, compile->text + at, at_end ? end : compile->text + last);
	put(&out, "\"");
	compile->status = -EINVAL;
}
