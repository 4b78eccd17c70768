/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of topics/ share. */
#ifndef TOPICS_PRIVATE_H
#define TOPICS_PRIVATE_H

#include <pthread.h>

#include "metadata/data_version.h"
#include "requests/page.h"
#include "state/state.h"
#include "table/table.h"
#include "topics/topics.h"

#ifdef __cplusplus
extern "C" {
#endif

struct topic_node { /* the topic object's memory */
	struct topic topic;
	struct table_entry entry; /* guarded by the table's lock */
	struct topic_node *next;  /* all nodes ever made; guarded by the table's lock */
	uint64_t adoption;        /* topics_adopt(): the last one that brought it; so, too */
	char name[];
};

struct topics {
	struct broker *broker;
	struct state *file;
	pthread_rwlock_t lock;
	/* guarded by lock */
	struct table table;
	struct table light;     /* topics of light queues, which are in no file: topics/light.c */
	struct topic_node *all; /* freed with the tables */
	struct gantry_str reserved;   /* no topic of that name is made now; size 0: none */
	pthread_mutex_t one_reserves; /* held by who has reserved it; taken before lock */
	struct data_version version;
	uint64_t adoption; /* how often topics_adopt() was called */
};

/* With the lock held for writing. The name must not be there. NULL: no memory. */
struct topic *topics_add_locked(struct topics *topics, const struct topic_config *config);
/* The same into one of the two tables. */
struct topic *topics_add_to_locked(struct topics *topics, struct table *table,
				   const struct topic_config *config);
/* Changes an existing topic. 1: something differed; 0: nothing; -ENOMEM. */
int topics_change_locked(struct topics *topics, struct topic *topic,
			 const struct topic_config *config);
struct topic *topics_find_locked(struct topics *topics, struct gantry_str name);
/* What a topic is now; texts borrow from it. With the lock held. */
void topics_config_locked(const struct topic *topic, struct topic_config *ret);
/* Counts the change, has the file written and these topics registered. Without the lock. */
void topics_announce(struct topics *topics, struct topic *const *changed, uint32_t count);

/* topics/light.c: NULL: there are too many, or no memory. Without the lock. */
struct topic *topics_find_light(struct topics *topics, struct gantry_str name);

/* Without a lock: before anything else sees the table. */
int topics_add_builtin(struct topics *topics);

/* The whole table as JSON: RocketMQ's TopicConfigSerializeWrapper. flags: of the writer.
 * page: that part of TopicConfigAndMappingSerializeWrapper, as answers carry it; NULL: the file. */
int topics_encode(struct topics *topics, unsigned flags, const struct page *page, char **ret,
		  size_t *ret_size);
void topics_version(struct topics *topics, struct data_version *ret);

/* Applies "+key=value,-key" to a topic's attributes (a JSON object, NULL: none or a new topic).
 * ret: from malloc, NULL if none are left. -EINVAL with Java's sentence in why. */
int topics_alter_attributes(const char *current, bool create, struct gantry_str change, char **ret,
			    char *why, size_t why_size);

/* The same for the topic of that name, or the new one; and checks that they are served. ret may be
 * set in either case. */
int topics_alter(struct topics *topics, struct gantry_str name, struct gantry_str change,
		 char **ret, char *why, size_t why_size);

/* Whether the attributes (a JSON object; NULL: none) have that value. */
bool topics_has_attribute(const char *attributes, const char *key, const char *value);
static inline bool topics_is_batch(const char *attributes)
{
	return topics_has_attribute(attributes, "queue.type", "BatchCQ");
}
static inline bool topics_is_compacted(const char *attributes)
{
	return topics_has_attribute(attributes, "cleanup.policy", "COMPACTION");
}
/* Whether messages of a topic with these attributes (a JSON object; NULL: none) are kept as they
 * must be. -ENOTSUP: no, and why has a sentence. */
int topics_check_served(const struct topics *topics, const char *attributes, char *why,
			size_t why_size);

#ifdef __cplusplus
}
#endif
#endif
