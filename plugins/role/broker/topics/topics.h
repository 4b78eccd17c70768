/* SPDX-License-Identifier: Apache-2.0 */
/* Topics: their table, their making, and config/topics.json in RocketMQ's shape.
 *
 * A topic object is never freed while the broker lives: who has a pointer may keep it. A deleted
 * one is retired: topics_find() no longer gives it, and one made later under the same name is
 * another object. Its numbers are read without a lock, each on its own, through the functions
 * below. */
#ifndef TOPICS_H
#define TOPICS_H

#include "broker.h"
#include "metadata/topic_config.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	TOPIC_NAME_MAX = 127, /* bytes, as RocketMQ's TopicValidator */
	TOPIC_QUEUES_MAX = 65536,
	TOPIC_NAME_ROOM =
		512, /* of any name that this broker takes, "%RETRY%" and a group included */
};

struct topic {
	struct gantry_str name; /* NUL-terminated; fixed */
	/* atomics; written under the table's lock */
	int32_t read_queues, write_queues, perm, sys_flag, filter_type;
	uint32_t order, retired, system;
	uint32_t batch;      /* queue.type=BatchCQ */
	uint32_t compacted;  /* cleanup.policy=COMPACTION */
	void *store_private; /* store/'s: its queues of this topic; atomic */
	/* guarded by the table's lock */
	char *attributes; /* a JSON object; NULL: {} */
};

static inline int32_t topic_read_queues(const struct topic *topic)
{
	return __atomic_load_n(&topic->read_queues, __ATOMIC_RELAXED);
}

static inline int32_t topic_write_queues(const struct topic *topic)
{
	return __atomic_load_n(&topic->write_queues, __ATOMIC_RELAXED);
}

static inline int32_t topic_perm(const struct topic *topic)
{
	return __atomic_load_n(&topic->perm, __ATOMIC_RELAXED);
}

static inline int32_t topic_sys_flag(const struct topic *topic)
{
	return __atomic_load_n(&topic->sys_flag, __ATOMIC_RELAXED);
}

static inline int32_t topic_filter_type(const struct topic *topic)
{
	return __atomic_load_n(&topic->filter_type, __ATOMIC_RELAXED);
}

static inline bool topic_order(const struct topic *topic)
{
	return __atomic_load_n(&topic->order, __ATOMIC_RELAXED);
}

static inline bool topic_batch(const struct topic *topic)
{
	return __atomic_load_n(&topic->batch, __ATOMIC_RELAXED);
}

static inline bool topic_compacted(const struct topic *topic)
{
	return __atomic_load_n(&topic->compacted, __ATOMIC_RELAXED);
}

static inline bool topic_retired(const struct topic *topic)
{
	return __atomic_load_n(&topic->retired, __ATOMIC_ACQUIRE);
}

int topics_new(struct broker *broker, struct topics **ret);
void topics_free(struct topics *topics); /* NULL is fine */

/* Reads config/topics.json and adds the built-in topics. Control thread, in start. A file that
 * cannot be understood: its .bak; neither: -EUCLEAN with a log line. */
int topics_load(struct topics *topics);
/* Topics that were made before the call are in the file when this returns, if it can be written.
 * Blocks: on a worker. NULL is fine. */
void topics_settle(struct topics *topics);
/* Writes what is unwritten; as state_close(). Control thread, in stop. */
int topics_close(struct topics *topics, struct gantry_op *op);

/* NULL: there is none. With enableLmq every name of a light queue (%LMQ%...) has a topic of one
 * queue, which is in no list and no file. Any thread, cheap. */
struct topic *topics_find(struct topics *topics, struct gantry_str name);
/* Of many at once, which costs less; light ones are not found. count: TOPICS_WANTED at most. */
enum { TOPICS_WANTED = 64 };
struct topic_wanted {
	struct gantry_str name; /* in */
	struct topic *topic;    /* out */
};
void topics_find_many(struct topics *topics, struct topic_wanted *wanted, uint32_t count);
/* Whether it has such a topic, or stands for such a group. */
bool topics_is_light(const struct broker *broker, struct gantry_str name);

/* What a send finds: the topic, or one made as RocketMQ makes it from send->default_topic, or a
 * retry topic of one queue. A new one is written and registered at the name servers. -ENOENT:
 * there is none and none may be made; -ENOSPC: too many topics. Any thread. */
int topics_create_on_send(struct broker *broker, const struct gantry_send *send,
			  struct topic **ret);

/* Makes a topic if there is none; an existing one stays as it is. For %RETRY%, %DLQ% and the like.
 * Any thread. */
int topics_ensure(struct broker *broker, const struct topic_config *config, struct topic **ret);

/* Makes or changes a topic. Returns 1 if it changed something; a light one stays as it is. Any
 * thread. */
int topics_put(struct topics *topics, const struct topic_config *config, struct topic **ret);
void topics_set_order(struct topics *topics, struct topic *topic, bool order);
/* Retires it. Any thread. -ENOENT. */
int topics_delete(struct topics *topics, struct gantry_str name);

/* Takes over the master's topics, in pages as code 21 answers them: what they do not have goes, and
 * so does the data version. -EINVAL (nothing is changed), -ENOSPC, -ENOMEM with a sentence in why.
 * On a worker. */
struct json_doc;
int topics_adopt(struct topics *topics, const struct json_doc *pages, uint32_t count, char *why,
		 size_t why_size);

/* For who removes what is left of a topic: unless there is one of that name, none is made (-EBUSY)
 * until topics_release(). False: there is one. Waits for others who have reserved: on a worker.
 * name is borrowed until then. */
bool topics_reserve(struct topics *topics, struct gantry_str name);
void topics_release(struct topics *topics);

uint32_t topics_count(struct topics *topics);
/* Calls each with every topic, under the table's read lock: it must not call topics_... */
/* After loading: -ENOTSUP if a topic's messages cannot be kept as they must be; the log says which.
 */
int topics_check_all_served(struct topics *topics);
void topics_each(struct topics *topics, void (*each)(struct topic *topic, void *user), void *user);

/* NULL: the name is good; else RocketMQ's sentence, "The specified topic is blank." */
const char *topics_name_problem(struct gantry_str name, char *room, size_t room_size);
/* The topic as RocketMQ's answers describe it: "TopicConfig [topicName=...]". Any thread. */
void topics_describe(struct topics *topics, const struct topic *topic, char *to, size_t room);
bool topics_is_system(const struct topics *topics, struct gantry_str name);
struct name_set;
void topics_system_names(struct name_set *ret); /* adds those that every broker refuses */

#ifdef __cplusplus
}
#endif
#endif
