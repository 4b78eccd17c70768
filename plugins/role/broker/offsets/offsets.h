/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer offsets: config/consumerOffset.json in RocketMQ's shape, written every
 * flushConsumerOffsetInterval and when the broker stops. Every call: any thread, cheap. */
#ifndef OFFSETS_H
#define OFFSETS_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

int offsets_new(struct broker *broker, struct offsets **ret);
void offsets_free(struct offsets *offsets); /* NULL is fine */
int offsets_load(struct offsets *offsets);  /* as topics_load */
int offsets_serve(struct offsets *offsets); /* starts writing now and then */
int offsets_close(struct offsets *offsets, struct gantry_op *op);

/* -1: unknown. */
int64_t offsets_get(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		    int32_t queue);
/* A smaller offset is taken too, as RocketMQ does. -ENOSPC: too many are kept already. */
int offsets_commit(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		   int32_t queue, int64_t offset);
/* How far a group has pulled; in memory only. */
int64_t offsets_pulled(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		       int32_t queue);
int offsets_commit_pull(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
			int32_t queue, int64_t offset);
/* Sets an offset from outside: until a pull of the group has taken it, it is what offsets_get()
 * gives. A negative queue or offset: nothing is done, as in RocketMQ. -ENOSPC, -ENOMEM. */
int offsets_reset(struct offsets *offsets, struct gantry_str group, struct gantry_str topic,
		  int32_t queue, int64_t offset);
/* The offset that was set and not taken yet, or -1: left there, or taken. */
int64_t offsets_reset_find(struct offsets *offsets, struct gantry_str group,
			   struct gantry_str topic, int32_t queue);
int64_t offsets_reset_take(struct offsets *offsets, struct gantry_str group,
			   struct gantry_str topic, int32_t queue);
/* Everything as JSON, as config/consumerOffset.json and code 43 have it; text from malloc. */
int offsets_encode(struct offsets *offsets, unsigned flags, char **ret, size_t *ret_size);
/* Takes over the master's offsets, as code 43 answers them; where ours differs, choose says which
 * of both it is to be (it is called with the table locked). -EINVAL, -ENOSPC, -ENOMEM with a
 * sentence in why: some may have been taken. On a worker. */
struct json_doc;
struct offsets_choice {
	int64_t (*choose)(void *user, struct gantry_str key, int32_t queue, int64_t ours,
			  int64_t theirs); /* key: topic@group */
	void *user;
};
int offsets_adopt(struct offsets *offsets, const struct json_doc *page,
		  const struct offsets_choice *choice, char *why, size_t why_size);
/* Adds the topics that the group has offsets of, and the groups that have offsets of the topic. */
struct name_set;
void offsets_topics_of(struct offsets *offsets, struct gantry_str group, struct name_set *ret);
void offsets_groups_of(struct offsets *offsets, struct gantry_str topic, struct name_set *ret);
void offsets_forget_topic(struct offsets *offsets, struct gantry_str topic);
void offsets_forget_group(struct offsets *offsets, struct gantry_str group);

#ifdef __cplusplus
}
#endif
#endif
