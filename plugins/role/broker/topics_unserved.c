/* SPDX-License-Identifier: Apache-2.0 */
/* Topics whose messages this broker would keep in the wrong files (cleanup.policy=COMPACTION): it
 * neither makes them nor starts on a store that has them, since a Java broker would miss messages
 * of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "topics_private.h"

static const struct {
	const char *key, *value;
} unserved[] = {{"cleanup.policy", "COMPACTION"}};

int topics_check_served(const char *attributes, char *why, size_t why_size)
{
	struct json_doc doc = {0};
	int err = attributes ? json_parse(attributes, strlen(attributes), 0, NULL, &doc, NULL) : 0;

	for (size_t i = 0; !err && i < sizeof(unserved) / sizeof(unserved[0]); i++) {
		if (!json_equals(json_get(json_root(&doc), unserved[i].key), unserved[i].value))
			continue;
		snprintf(why, why_size, "topics with %s=%s are not served yet", unserved[i].key,
			 unserved[i].value);
		err = -ENOTSUP;
	}
	json_free(&doc);
	return err;
}

int topics_check_all_served(struct topics *topics)
{
	char why[100];
	int err = 0;

	pthread_rwlock_rdlock(&topics->lock);
	for (struct topic_node *node = topics->all; node && !err; node = node->next) {
		const struct topic *topic = &node->topic;

		err = topics_check_served(topic->attributes, why, sizeof(why));
		if (err == -ENOTSUP)
			gantry_log(topics->broker->inst, ERROR,
				   "topics.json: topic %s: %s; this broker does not start on the "
				   "store, so that a Java broker still can",
				   topic->name.at, why);
	}
	pthread_rwlock_unlock(&topics->lock);
	return err;
}
