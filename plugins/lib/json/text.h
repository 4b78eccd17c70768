/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes, private to this library. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <json/json.h>

/* The bytes that the inside of a string has once unescaped, or -EINVAL. */
int64_t json_unescaped_size(const char *from, size_t size);
/* Whether it is this text once unescaped. */
bool json_unescaped_equals(const char *from, size_t size, struct gantry_str text);
/* As json_quoted_size and json_quote, without the quotes. ascii: non-ASCII as \uXXXX, / as \/. */
size_t json_escaped_size(struct gantry_str text, bool ascii);
char *json_escape(char *to, struct gantry_str text, bool ascii);

#endif
