/* SPDX-License-Identifier: Apache-2.0 */
/* State files of the broker. */
#include "paths.h"

#include <errno.h>
#include <stdio.h>

#include "json/json.h"

int broker_state_new(struct broker *broker, const char *name,
		     int (*encode)(void *user, char **ret, size_t *ret_size),
		     int (*decode)(void *user, const char *text, size_t size, char *why,
				   size_t why_size),
		     void *user, struct state **ret)
{
	char path[4096];
	struct state_spec spec = {
		.inst = broker->inst,
		.path = path,
		.encode = encode,
		.decode = decode,
		.user = user,
	};
	int size = snprintf(path, sizeof(path), "%s/%s", broker->config_dir, name);

	if (size < 0 || (size_t)size >= sizeof(path))
		return -ENAMETOOLONG;
	return state_new(&spec, ret);
}

/* As many values as a text of that size can hold, so that only memory limits our own files. */
static uint32_t nodes_for(size_t size)
{
	return size / 2 < UINT32_MAX / 32 ? (uint32_t)(size / 2 + 16) : UINT32_MAX / 32;
}

int broker_parse(const char *text, size_t size, struct json_doc *ret, char *why, size_t why_size)
{
	struct json_limits limits = {.nodes = nodes_for(size)};
	struct json_error error = {0};
	int err = json_parse(text, size, JSON_LENIENT, &limits, ret, &error);

	if (err == -EINVAL)
		snprintf(why, why_size, "%s at byte %u", error.why, error.offset);
	return err;
}

int broker_decode(const char *text, size_t size,
		  int (*take)(void *user, struct json_value root, char *why, size_t why_size),
		  void *user, char *why, size_t why_size)
{
	struct json_doc doc;
	int err = broker_parse(text, size, &doc, why, why_size);

	if (err)
		return err;
	err = take(user, json_root(&doc), why, why_size);
	json_free(&doc);
	return err;
}
