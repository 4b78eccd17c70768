/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the configuration: the first byte decides which file the rest is. Whatever it says, both
 * passes, the warnings, the print and a document end with values or a sentence. */
#include "conf/private.h"
#include "conf/known.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct snapshot {
	bool yes;
	int64_t number, size, period;
	int32_t role;
	const char *path, *address;
	struct gantry_conf_list names, addresses;
};

static const char *const roles[] = {"ASYNC_MASTER", "SYNC_MASTER", "SLAVE", NULL};

static const struct gantry_conf_item items[] = {
	GANTRY_KEY(BOOL, struct snapshot, yes, "autoCreateTopicEnable", .dflt = "true"),
	GANTRY_KEY(INT, struct snapshot, number, "listenPort", .min = 1, .max = 65535,
		   .dflt = "10911", .flags = GANTRY_CONF_RELOAD),
	GANTRY_KEY(SIZE, struct snapshot, size, "maxMessageSize"),
	GANTRY_KEY(DURATION, struct snapshot, period, "syncFlushTimeout"),
	GANTRY_KEY(ENUM, struct snapshot, role, "brokerRole", .choices = roles),
	GANTRY_KEY(PATH, struct snapshot, path, "storePathRootDir", .dflt = "~/store"),
	GANTRY_KEY(ADDRESS, struct snapshot, address, "peer", .flags = GANTRY_CONF_SECRET),
	GANTRY_KEY(STRING, struct snapshot, names, "names", .flags = GANTRY_CONF_LIST),
	GANTRY_KEY(ADDRESS, struct snapshot, addresses, "namesrvAddr", .flags = GANTRY_CONF_LIST),
	{.key = NULL},
};

static const char fragment[] = "[defaults broker]\nstorageBackend = mmap\n"
			       "[plugin storage-mmap]\nwhen = storageBackend=mmap\n"
			       "[plugin replication-any]\nwhen = brokerRole!=\n"
			       "serves = brokerRole=*\n";

static int add_property(struct gk_line *line, void *user, struct gk_error *error)
{
	struct gk_conf *conf = user;
	struct gk_pair pair;
	const char *problem = gk_line_split(line, &pair);

	if (problem)
		return gk_conf_fail(error, -1, "f:%u: %s", line->number, problem);
	if (*pair.key)
		gk_table_put(conf, gk_role_of(conf, "broker")->file, &pair, "f", line->number);
	return 0;
}

static int read_text(struct gk_conf *conf, int properties, const char *at, size_t size)
{
	struct gk_error error;
	struct gk_text text;
	int code = gk_text_take(at, size, "f", &text, &error);

	if (code)
		return code;
	code = properties ? gk_text_each_line(&text, "f", add_property, conf, &error)
			  : gk_fragment_parse(conf, &text, "f", &error);
	free(text.at);
	return code;
}

static void ignore_line(const char *line, void *user)
{
	(void)user;
	if (!*line)
		abort();
}

static void ignore_pair(const char *key, const char *value, void *user)
{
	(void)user;
	if (!*key || !value)
		abort();
}

static void use(struct gk_conf *conf, FILE *to)
{
	struct gk_error error = {""};
	struct snapshot snapshot;

	if (gk_conf_choose(conf, &error)) {
		if (!*error.text)
			abort();
		return;
	}
	for (unsigned i = 0; i < gk_conf_chosen_count(conf); i++) {
		const struct gk_chosen *chosen = gk_conf_chosen(conf, i);

		if (gk_conf_fill(conf, chosen, items, &snapshot, sizeof(snapshot), &error) &&
		    !*error.text)
			abort();
		gk_conf_each(conf, chosen, ignore_pair, NULL);
	}
	gk_conf_warn(conf, ignore_line, NULL);
	gk_conf_print(conf, to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *to = fopen("/dev/null", "w");
	struct gk_conf *conf = gk_conf_new();
	const char *role;

	if (size == 0 || !to || gk_conf_add_role(conf, "broker", &role) ||
	    read_text(conf, 0, fragment, sizeof(fragment) - 1))
		goto out;
	if (read_text(conf, data[0] & 1, (const char *)data + 1, size - 1) == 0)
		use(conf, to);
out:
	gk_conf_free(conf);
	if (to)
		fclose(to);
	return 0;
}
