/* SPDX-License-Identifier: Apache-2.0 */
/* Topics with cleanup.policy=COMPACTION. A Java broker copies their messages into a log of their
 * own, which it reads them from and which outlives the CommitLog, and does so only when it
 * dispatches them: what another broker took it would never have. So such topics are neither made
 * nor are they started with, unless enableCompaction=false: then a Java broker, too, reads them
 * from the CommitLog like others, only that their messages must have keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "topics/private.h"

bool topics_has_attribute(const char *attributes, const char *key, const char *value)
{
	struct json_doc doc = {0};
	bool has;

	if (!attributes || json_parse(attributes, strlen(attributes), 0, NULL, &doc, NULL))
		return false;
	has = json_equals(json_get(json_root(&doc), key), value);
	json_free(&doc);
	return has;
}

int topics_check_served(const struct topics *topics, const char *attributes, char *why,
			size_t why_size)
{
	if (!topics->broker->conf->enableCompaction || !topics_is_compacted(attributes))
		return 0;
	snprintf(why, why_size,
		 "topics with cleanup.policy=COMPACTION are served under enableCompaction=false "
		 "only");
	return -ENOTSUP;
}

int topics_check_all_served(struct topics *topics)
{
	char why[100];
	int err = 0;

	pthread_rwlock_rdlock(&topics->lock);
	for (struct topic_node *node = topics->all; node && !err; node = node->next) {
		const struct topic *topic = &node->topic;

		err = topics_check_served(topics, topic->attributes, why, sizeof(why));
		if (err == -ENOTSUP)
			gantry_log(topics->broker->inst, ERROR,
				   "topics.json: topic %s: %s; this broker does not start on the "
				   "store, so that a Java broker still can",
				   topic->name.at, why);
	}
	pthread_rwlock_unlock(&topics->lock);
	return err;
}
