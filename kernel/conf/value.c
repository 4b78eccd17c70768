/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: texts to typed values, and what a type expects. */
#include "conf/private.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *parse_bool(const char *text, struct gk_value *ret)
{
	int yes = g_ascii_strcasecmp(text, "true") == 0;

	if (!yes && g_ascii_strcasecmp(text, "false") != 0)
		return *text ? "is neither" : "is empty";
	ret->number = yes;
	return NULL;
}

static const char *parse_choice(const struct gantry_conf_item *item, const char *text,
				struct gk_value *ret)
{
	for (int32_t i = 0; item->choices[i]; i++) {
		if (g_ascii_strcasecmp(item->choices[i], text) == 0) {
			ret->number = i;
			return NULL;
		}
	}
	return *text ? "is none of them" : "is empty";
}

/* [v6] */
static const char *check_v6(const char *text, size_t size)
{
	g_autofree char *ip = g_strndup(text + 1, size - 1);
	struct in6_addr parsed;
	size_t last = strlen(ip);

	if (last == 0 || ip[--last] != ']')
		return "has no IPv6 address between [ and ]";
	ip[last] = 0;
	return inet_pton(AF_INET6, ip, &parsed) == 1 ? NULL : "has no IPv6 address between [ and ]";
}

/* host:port, [v6]:port or :port. Names are not looked up. */
static const char *check_address(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	const struct gantry_conf_item port = {.type = GANTRY_CONF_INT, .max = 65535};
	int64_t number;

	if (!colon)
		return "has no port";
	if (!g_ascii_isdigit(colon[1]) || gk_number_parse(&port, colon + 1, &number))
		return "has no port from 0 to 65535";
	if (size && text[0] == '[')
		return check_v6(text, size);
	for (size_t i = 0; i < size; i++)
		if (!g_ascii_isalnum(text[i]) && !strchr(".-_", text[i]))
			return "has no host name";
	return NULL;
}

/* One text of a STRING, PATH or ADDRESS; *ret lives in conf, or is the text itself. */
static const char *parse_text(struct gk_conf *conf, uint16_t type, const char *text,
			      const char **ret)
{
	*ret = text;
	if (type == GANTRY_CONF_ADDRESS)
		return check_address(text);
	if (type == GANTRY_CONF_PATH) {
		g_autofree char *path = gk_path_expand(text);

		if (!path)
			return "begins at a home directory, and there is none";
		*ret = gk_keep_text(conf, path);
	}
	return NULL;
}

/* Separators are ; and , with blanks around them; empty parts don't count. */
static const char *parse_list(struct gk_conf *conf, const struct gantry_conf_item *item,
			      const char *text, struct gk_value *ret)
{
	g_auto(GStrv) parts = g_strsplit_set(text, ";,", -1);
	guint most = g_strv_length(parts);
	const char **at = gk_keep_block(conf, (most + 1) * sizeof(*at));
	uint32_t count = 0;

	for (char **part = parts; *part; part++) {
		const char *problem;

		g_strstrip(*part);
		if (!**part)
			continue;
		problem = parse_text(conf, item->type, gk_keep_text(conf, *part), &at[count]);
		if (problem)
			return problem;
		count++;
	}
	ret->list = (struct gantry_conf_list){.at = count ? at : NULL, .count = count};
	return NULL;
}

const char *gk_value_parse(struct gk_conf *conf, const struct gantry_conf_item *item,
			   const char *text, struct gk_value *ret)
{
	switch (item->type) {
	case GANTRY_CONF_BOOL:
		return parse_bool(text, ret);
	case GANTRY_CONF_INT:
	case GANTRY_CONF_SIZE:
	case GANTRY_CONF_DURATION:
		return gk_number_parse(item, text, &ret->number);
	case GANTRY_CONF_ENUM:
		return parse_choice(item, text, ret);
	}
	if (item->flags & GANTRY_CONF_LIST)
		return parse_list(conf, item, text, ret);
	if (!*text && item->type != GANTRY_CONF_STRING) {
		ret->text = NULL; /* KEY= takes a path or an address away */
		return NULL;
	}
	return parse_text(conf, item->type, text, &ret->text);
}

static int same_lists(const struct gantry_conf_list *a, const struct gantry_conf_list *b)
{
	if (a->count != b->count)
		return 0;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->at[i], b->at[i]) != 0)
			return 0;
	return 1;
}

int gk_value_same(const struct gantry_conf_item *item, const struct gk_value *a,
		  const struct gk_value *b)
{
	if (item->flags & GANTRY_CONF_LIST)
		return same_lists(&a->list, &b->list);
	if (item->type >= GANTRY_CONF_STRING)
		return g_strcmp0(a->text, b->text) == 0;
	return a->number == b->number;
}

static void expect_range(const struct gantry_conf_item *item, GString *to)
{
	int64_t min, max;

	gk_number_range(item, &min, &max);
	if (min == INT64_MIN && max == INT64_MAX)
		return;
	if (min == INT64_MIN) {
		g_string_append(to, " of at most ");
		gk_number_print(item->type, max, to);
		return;
	}
	g_string_append(to, max == INT64_MAX ? " of at least " : " from ");
	gk_number_print(item->type, min, to);
	if (max == INT64_MAX)
		return;
	g_string_append(to, " to ");
	gk_number_print(item->type, max, to);
}

static void expect_number(const struct gantry_conf_item *item, GString *to)
{
	static const char *const names[] = {
		[GANTRY_CONF_INT] = "a whole number",
		[GANTRY_CONF_SIZE] = "a size",
		[GANTRY_CONF_DURATION] = "a time",
	};

	g_string_append(to, names[item->type]);
	expect_range(item, to);
	if (item->type == GANTRY_CONF_SIZE)
		g_string_append(to, ": bytes, or with k, m or g");
	else if (item->type == GANTRY_CONF_DURATION)
		g_string_append(to, ": milliseconds, or with ms, s, m, h or d");
	else if (item->unit)
		g_string_append_printf(to, " (%s)", item->unit);
}

static void expect_choice(const struct gantry_conf_item *item, GString *to)
{
	for (const char *const *choice = item->choices; *choice; choice++) {
		if (choice > item->choices)
			g_string_append(to, choice[1] ? ", " : " or ");
		g_string_append(to, *choice);
	}
}

void gk_value_expect(const struct gantry_conf_item *item, GString *to)
{
	static const char *const texts[][2] = {
		[GANTRY_CONF_STRING] = {"a text", "texts"},
		[GANTRY_CONF_PATH] = {"a path", "paths"},
		[GANTRY_CONF_ADDRESS] = {"HOST:PORT, [IPV6]:PORT or :PORT",
					 "addresses (HOST:PORT, [IPV6]:PORT or :PORT)"},
	};
	int list = (item->flags & GANTRY_CONF_LIST) != 0;

	if (item->type == GANTRY_CONF_BOOL)
		g_string_append(to, "true or false");
	else if (item->type == GANTRY_CONF_ENUM)
		expect_choice(item, to);
	else if (item->type < GANTRY_CONF_ENUM)
		expect_number(item, to);
	else
		g_string_append(to, texts[item->type][list]);
	if (list)
		g_string_append(to, ", separated by ; or ,");
}

size_t gk_value_field(const struct gantry_conf_item *item, size_t *ret_align)
{
	size_t size;

	if (item->flags & GANTRY_CONF_LIST) {
		*ret_align = _Alignof(struct gantry_conf_list);
		return sizeof(struct gantry_conf_list);
	}
	switch (item->type) {
	case GANTRY_CONF_BOOL:
		size = sizeof(bool);
		break;
	case GANTRY_CONF_INT:
	case GANTRY_CONF_SIZE:
	case GANTRY_CONF_DURATION:
		size = sizeof(int64_t);
		break;
	case GANTRY_CONF_ENUM:
		size = sizeof(int32_t);
		break;
	case GANTRY_CONF_STRING:
	case GANTRY_CONF_PATH:
	case GANTRY_CONF_ADDRESS:
		size = sizeof(const char *);
		break;
	default:
		return 0;
	}
	*ret_align = size;
	return size;
}
