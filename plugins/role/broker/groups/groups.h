/* SPDX-License-Identifier: Apache-2.0 */
/* Subscription groups: config/subscriptionGroup.json in RocketMQ's shape. As with topics, a group
 * object is never freed while the broker lives, and its numbers are atomics. */
#ifndef GROUPS_H
#define GROUPS_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	GROUP_NAME_MAX = 255,  /* bytes, as RocketMQ's Validators */
	GROUP_NAME_ROOM = 256, /* with a NUL */
};

struct group {
	struct gantry_str name; /* NUL-terminated; fixed */
	/* atomics; written under the table's lock; defaults in groups/groups.c */
	uint32_t consume_enable, consume_from_min_enable, consume_broadcast_enable,
		consume_message_orderly, notify_consumer_ids_changed_enable, retired;
	int32_t retry_queue_nums, retry_max_times, group_sys_flag, consume_timeout_minute;
	int64_t broker_id, which_broker_when_consume_slowly;
	/* JSON texts carried through as they were read; guarded by the table's lock; NULL: absent
	 */
	char *retry_policy, *attributes, *subscription_data_set;
};

#define GROUP_READ(group, field) __atomic_load_n(&(group)->field, __ATOMIC_RELAXED)

int groups_new(struct broker *broker, struct groups **ret);
void groups_free(struct groups *groups); /* NULL is fine */
int groups_load(struct groups *groups);  /* as topics_load */
int groups_close(struct groups *groups, struct gantry_op *op);

/* The group, made with defaults if there is none and autoCreateSubscriptionGroup (or its being a
 * system group) allows. NULL: there is none, the answer is 26. Any thread, cheap. */
struct group *groups_find(struct broker *broker, struct gantry_str name);

/* As groups_find(), but never makes one. With enableLmq both give every name of a light queue a
 * group with defaults, which is in no list and no file. */
struct group *groups_look(struct groups *groups, struct gantry_str name);

/* Takes a SubscriptionGroupConfig object (json/json.h) as RocketMQ's code 200 does. -EINVAL: no
 * name or a bad one, why says so as groups_name_problem(); -ENOSPC: too many groups. */
struct json_value;
int groups_put_json(struct groups *groups, const struct json_value *object, char *why,
		    size_t why_size);
/* NULL: the name is good; else RocketMQ's sentence, "The specified group is blank." */
const char *groups_name_problem(struct gantry_str name, char *room, size_t room_size);
int groups_delete(struct groups *groups, struct gantry_str name); /* -ENOENT */

/* RocketMQ's SubscriptionGroupWrapper (page NULL: all of it), and one SubscriptionGroupConfig;
 * texts from malloc. */
struct page;
int groups_encode(struct groups *groups, unsigned flags, const struct page *page, char **ret,
		  size_t *ret_size);
int groups_encode_one(struct groups *groups, struct group *group, char **ret, size_t *ret_size);
uint32_t groups_count(struct groups *groups);
struct name_set;
void groups_names(struct groups *groups, struct name_set *ret); /* adds every group */

/* As topics_adopt(), with what code 201 answers. */
struct json_doc;
int groups_adopt(struct groups *groups, const struct json_doc *pages, uint32_t count, char *why,
		 size_t why_size);

/* Whether pulls of that group from that topic are forbidden (forbiddenTable). */
bool groups_forbids_read(struct groups *groups, struct gantry_str group, struct gantry_str topic);

/* Forbids such pulls, or allows them. -ENAMETOOLONG, -ENOSPC, -ENOMEM. */
int groups_forbid_read(struct groups *groups, struct gantry_str group, struct gantry_str topic,
		       bool forbid);

#ifdef __cplusplus
}
#endif
#endif
