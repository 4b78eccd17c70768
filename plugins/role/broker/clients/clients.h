/* SPDX-License-Identifier: Apache-2.0 */
/* Connected producers and consumers: heartbeats, subscriptions with their compiled filters, lists
 * of members, change notices. One lock in struct clients guards all of it. */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <gantry/filter.h>

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one group subscribes of one topic. Immutable and counted. */
struct subscription {
	struct gantry_str topic, expression, expression_type;
	int64_t version;
	uint32_t class_filter;
	uint32_t refs;                /* atomic */
	struct gantry_filter *filter; /* NULL: nothing to judge, or it could not be compiled */
	const struct gantry_filter_ops
		*filter_ops;  /* of filter; NULL if no such filter is loaded */
	uint32_t filter_caps; /* GANTRY_FILTER_NEEDS_RECORD */
	uint32_t broken;      /* the expression could not be compiled */
};

struct subscription_info {
	bool group_known, topic_known;
	uint32_t consume_type, message_model, from_where; /* of role.h; if group_known */
	struct subscription *subscription; /* held: subscription_release(); if topic_known */
};

int clients_new(struct broker *broker, struct clients **ret);
void clients_free(struct clients *clients);  /* NULL is fine */
int clients_define(struct clients *clients); /* its gauges; control thread, in setup */
int clients_serve(struct clients *clients);  /* starts looking for silent channels */
void clients_close(struct clients *clients); /* stops that */

/* What gantry_role_ops says of them. On the session's loop. */
int clients_join(struct broker *broker, struct gantry_client *client);
int clients_leave(struct broker *broker, struct gantry_session *session, struct gantry_str client,
		  struct gantry_str producer_group, struct gantry_str consumer_group);
void clients_gone(struct broker *broker, struct gantry_session *session);

/* What a pull needs to know, in one look-up. Any thread, cheap. */
void clients_subscription(struct clients *clients, struct gantry_str group, struct gantry_str topic,
			  struct subscription_info *ret);

/* The same for an administrator, who also sees what pulls brought along; topic_known may then be
 * true without group_known. Any thread. */
void clients_subscription_any(struct clients *clients, struct gantry_str group,
			      struct gantry_str topic, struct subscription_info *ret);

/* For a pull that brings its subscription along: the one that was compiled for this group and
 * topic before if it says the same, else a new one, which the group keeps from now on beside what
 * heartbeats said. -EINVAL with the reason in why. ret is held. Any thread. */
int clients_subscription_of_pull(struct broker *broker, const struct gantry_pull *pull,
				 struct subscription **ret, char *why, size_t why_size);

/* The client ids of a consumer group's members, sorted, each once; NUL-terminated, one block from
 * malloc in which the array comes first. -ENOENT: nobody is online. Any thread. */
int clients_member_ids(struct clients *clients, struct gantry_str group, char ***ret,
		       uint32_t *ret_count);

/* ConsumerConnection and ProducerConnection as RocketMQ's codes 203 and 204 answer them, JSON from
 * malloc. -ENOENT: nobody is online. Any thread. */
int clients_consumers_json(struct clients *clients, struct gantry_str group, char **ret,
			   size_t *ret_size);
int clients_producers_json(struct clients *clients, struct gantry_str group, char **ret,
			   size_t *ret_size);

/* ProducerTableInfo as RocketMQ's code 328 answers it: every producer, by its group. */
int clients_all_producers_json(struct clients *clients, char **ret, size_t *ret_size);
/* Adds the consumer groups that subscribe a topic. Any thread. */
struct name_set;
void clients_groups_of(struct clients *clients, struct gantry_str topic, struct name_set *ret);
/* How many topics the group's members subscribe; 0: none, or nobody is online. Any thread. */
uint32_t clients_subscription_count(struct clients *clients, struct gantry_str group);
/* Writes RocketMQ's SubscriptionData. */
struct json_writer;
void subscription_write(struct json_writer *writer, const struct subscription *subscription);

/* Pushes to one of the group's producers, in turn; to the next if that one is gone or does not
 * read. -ENOENT: nobody is online; or why the last could not be told. Any thread. */
int clients_push_producer(struct clients *clients, struct gantry_str group,
			  const struct gantry_push *push);

/* Compiles an expression as a subscription does. -EINVAL with the reason in why; -ENOTSUP: no such
 * filter is loaded. ret is held. Any thread. */
int subscription_new(struct broker *broker, const struct gantry_subscription_data *data,
		     struct subscription **ret, char *why, size_t why_size);
/* The same, but what cannot be compiled is kept and marked broken: a heartbeat's. Only -ENOMEM, and
 * -EINVAL for what is too long. */
int subscription_new_lenient(struct broker *broker, const struct gantry_subscription_data *data,
			     struct subscription **ret, char *why, size_t why_size);
struct subscription *subscription_hold(struct subscription *subscription);
void subscription_release(struct subscription *subscription); /* NULL is fine; any thread */

/* Whether this session is a registered member of that consumer group. Any thread. */
bool clients_is_member(struct clients *clients, struct gantry_str group,
		       const struct gantry_session *session);
/* Whether messages are pushed to each member of that group. Any thread. */
bool clients_is_broadcasting(struct clients *clients, struct gantry_str group);
/* The client id under which this session is a member of that consumer group, with a NUL. False: it
 * is none, or the id has no room. On the session's loop. */
bool clients_member_id(struct clients *clients, struct gantry_str group,
		       struct gantry_session *session, char *room, size_t size);

#ifdef __cplusplus
}
#endif
#endif
