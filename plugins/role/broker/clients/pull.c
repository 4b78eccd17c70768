/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions that pulls bring along: compiled once, kept with the group, and used again as long
 * as the next pull says the same. */
#include <errno.h>
#include <stdlib.h>

#include "call/fields.h"
#include "clients/private.h"

static bool says_the_same(const struct subscription *subscription,
			  const struct gantry_subscription_data *data)
{
	return str_equal(subscription->expression, data->expression) &&
	       (str_equal(subscription->expression_type, data->expression_type) ||
		(!data->expression_type.size && str_is(subscription->expression_type, "TAG")));
}

static struct subscription *find_known(struct clients *clients, struct gantry_str group,
				       const struct gantry_subscription_data *data)
{
	struct subscription *known = NULL;
	struct client_group *found;
	struct table_entry *entry;

	pthread_rwlock_rdlock(&clients->lock);
	found = clients_group_locked(clients, &clients->consumers, group);
	entry = found ? table_find(&found->compensated, data->topic) : NULL;
	if (entry) {
		struct group_subscription *held =
			TABLE_HOLDER(entry, struct group_subscription, entry);

		if (says_the_same(held->subscription, data)) {
			known = subscription_hold(held->subscription);
			__atomic_store_n(&held->seen_ms, (int64_t)gantry_clock_ms(),
					 __ATOMIC_RELAXED);
		}
	}
	pthread_rwlock_unlock(&clients->lock);
	return known;
}

/* At a limit it is just not kept. */
static void keep(struct clients *clients, struct gantry_str group, struct subscription *fresh)
{
	int64_t max = clients->broker->conf->maxGroupSubscriptions;
	struct client_group *found;
	struct table_entry *entry;

	pthread_rwlock_wrlock(&clients->lock);
	found = clients_group_make_locked(clients, &clients->consumers, group);
	if (found) {
		group_subscription_put(&found->compensated, subscription_hold(fresh), max);
		entry = table_find(&found->compensated, fresh->topic);
		if (entry)
			TABLE_HOLDER(entry, struct group_subscription, entry)->seen_ms =
				(int64_t)gantry_clock_ms();
	}
	pthread_rwlock_unlock(&clients->lock);
}

int clients_subscription_of_pull(struct broker *broker, const struct gantry_pull *pull,
				 struct subscription **ret, char *why, size_t why_size)
{
	struct gantry_subscription_data data = {
		.topic = pull->topic,
		.expression = pull->subscription.size ? pull->subscription : str_of("*"),
		.expression_type = pull->expression_type,
		.version = broker_wall_ms(), /* as FilterAPI.build does, whatever the pull says */
	};
	struct subscription *found = find_known(broker->clients, pull->group, &data);
	int err;

	if (!found) {
		err = subscription_new(broker, &data, &found, why, why_size);
		if (err)
			return err;
		keep(broker->clients, pull->group, found);
	}
	*ret = found;
	return 0;
}
