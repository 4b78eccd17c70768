/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into a parsed document. Every call takes a place that is not there. */
#include "text.h"

#include <errno.h>
#include <message/decimal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct json_node *node_of(struct json_value value)
{
	return value.doc ? &value.doc->nodes[value.node] : NULL;
}

static struct json_value place(const struct json_doc *doc, uint32_t node)
{
	return (struct json_value){.doc = doc, .node = node};
}

struct json_value json_root(const struct json_doc *doc)
{
	return doc && doc->count ? place(doc, 0) : (struct json_value){0};
}

bool json_is(struct json_value value, enum json_type type)
{
	const struct json_node *node = node_of(value);

	return node && node->type == type;
}

uint32_t json_count(struct json_value value)
{
	const struct json_node *node = node_of(value);

	return node && (node->type == JSON_OBJECT || node->type == JSON_ARRAY) ? node->count : 0;
}

struct json_iter json_iter(struct json_value container)
{
	const struct json_node *node = node_of(container);
	struct json_iter iter = {0};

	if (!json_count(container))
		return iter;
	iter.object = node->type == JSON_OBJECT;
	iter.at = container.node + 1;
	iter.end = node->next;
	iter.value.doc = container.doc;
	return iter;
}

bool json_next(struct json_iter *iter)
{
	const struct json_doc *doc = iter->value.doc;

	if (iter->at >= iter->end)
		return false;
	if (iter->object) {
		iter->key = place(doc, iter->at);
		iter->at = doc->nodes[iter->at].next;
	}
	iter->value = place(doc, iter->at);
	iter->at = doc->nodes[iter->at].next;
	return true;
}

struct json_value json_get(struct json_value object, const char *name)
{
	struct json_value found = {0};
	struct json_iter iter = json_iter(object);

	if (!json_is(object, JSON_OBJECT))
		return found;
	while (json_next(&iter))
		if (json_equals(iter.key, name))
			found = iter.value;
	return found;
}

struct json_value json_at(struct json_value array, uint32_t i)
{
	struct json_iter iter = json_iter(array);

	if (json_is(array, JSON_ARRAY))
		while (json_next(&iter))
			if (i-- == 0)
				return iter.value;
	return (struct json_value){0};
}

static bool is_text(const struct json_node *node)
{
	return node &&
	       (node->type == JSON_STRING || node->type == JSON_NUMBER || node->type == JSON_NAME);
}

bool json_raw(struct json_value value, struct gantry_str *ret)
{
	const struct json_node *node = node_of(value);

	if (!is_text(node) || node->count)
		return false;
	*ret = (struct gantry_str){value.doc->text + node->start, node->end - node->start};
	return true;
}

bool json_plain(struct json_value value, struct gantry_str *ret)
{
	struct gantry_str text;

	if (!json_raw(value, &text) || json_quoted_size(text) != text.size + 2)
		return false;
	*ret = text;
	return true;
}

int json_text(struct json_value value, char *to, size_t room, struct gantry_str *ret)
{
	const struct json_node *node = node_of(value);
	int64_t size;

	if (json_raw(value, ret))
		return 0;
	if (!is_text(node))
		return -EINVAL;
	size = json_unescaped_size(value.doc->text + node->start, node->end - node->start);
	if (size > (int64_t)room)
		return -ENOBUFS;
	json_unescape(value.doc->text + node->start, node->end - node->start, to);
	*ret = (struct gantry_str){to, (size_t)size};
	return 0;
}

char *json_strdup(struct json_value value)
{
	const struct json_node *node = node_of(value);
	struct gantry_str text;
	char *copy;

	if (!is_text(node))
		return NULL;
	copy = malloc(node->end - node->start + 1);
	if (!copy)
		return NULL;
	json_text(value, copy, node->end - node->start, &text);
	memmove(copy, text.at, text.size);
	copy[text.size] = '\0';
	return copy;
}

bool json_equals(struct json_value value, const char *text)
{
	const struct json_node *node = node_of(value);
	struct gantry_str wanted = {text, strlen(text)};

	if (!is_text(node))
		return false;
	if (!node->count && node->end - node->start != wanted.size)
		return false;
	return json_unescaped_equals(value.doc->text + node->start, node->end - node->start,
				     wanted);
}

int json_int64(struct json_value value, int64_t *ret)
{
	struct gantry_str text;

	return json_raw(value, &text) ? decimal_read(text.at, text.size, ret) : -EINVAL;
}

int json_bool(struct json_value value, bool *ret)
{
	const struct json_node *node = node_of(value);
	const char *at;
	size_t size;

	if (!node || (node->type != JSON_BOOL && node->type != JSON_STRING))
		return -EINVAL;
	at = value.doc->text + node->start;
	size = node->end - node->start;
	if (size == 4 && strncasecmp(at, "true", 4) == 0)
		*ret = true;
	else if (size == 5 && strncasecmp(at, "false", 5) == 0)
		*ret = false;
	else
		return -EINVAL;
	return 0;
}

int64_t json_int64_or(struct json_value value, int64_t missing)
{
	json_int64(value, &missing);
	return missing;
}

bool json_bool_or(struct json_value value, bool missing)
{
	json_bool(value, &missing);
	return missing;
}
