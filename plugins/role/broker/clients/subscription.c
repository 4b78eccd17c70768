/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: immutable, counted, with their filter compiled. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "clients/clients.h"
#include "topics/topics.h"

enum { TYPE_MAX = 64, EXPRESSION_MAX = 64 * 1024 };

/* The loaded filter of that name. */
static const struct gantry_service *find_filter(const struct broker *broker, struct gantry_str type,
						struct gantry_inst **ret_peer)
{
	const struct gantry_service *service;

	for (unsigned i = 0; (service = gantry_find_at(broker->inst, GANTRY_FILTER, i, ret_peer));
	     i++)
		if (str_is(type, service->name))
			return service;
	return NULL;
}

static int compile(struct broker *broker, struct subscription *subscription, char *why,
		   size_t why_size)
{
	struct gantry_inst *peer;
	const struct gantry_service *service =
		find_filter(broker, subscription->expression_type, &peer);
	int err;

	if (!service) {
		snprintf(why, why_size, "no filter of type %.*s is loaded",
			 STR_ARGS(subscription->expression_type));
		return -ENOTSUP;
	}
	subscription->filter_ops = service->ops;
	subscription->filter_caps = service->caps;
	err = subscription->filter_ops->compile(peer, subscription->expression,
						&subscription->filter, why, why_size);
	if (err)
		subscription->filter = NULL;
	return err;
}

static char *put(char *to, struct gantry_str from, struct gantry_str *ret)
{
	if (from.size)
		memcpy(to, from.at, from.size);
	to[from.size] = 0;
	*ret = (struct gantry_str){to, from.size};
	return to + from.size + 1;
}

static struct subscription *allocate(const struct gantry_subscription_data *data,
				     struct gantry_str type)
{
	size_t size = data->topic.size + data->expression.size + type.size + 3;
	struct subscription *subscription = calloc(1, sizeof(*subscription) + size);
	char *to = (char *)(subscription + 1);

	if (!subscription)
		return NULL;
	to = put(to, data->topic, &subscription->topic);
	to = put(to, data->expression, &subscription->expression);
	put(to, type, &subscription->expression_type);
	subscription->version = data->version;
	subscription->class_filter = data->class_filter;
	subscription->refs = 1;
	return subscription;
}

static int make(struct broker *broker, const struct gantry_subscription_data *data, bool strict,
		struct subscription **ret, char *why, size_t why_size)
{
	struct gantry_str type = data->expression_type;
	struct subscription *subscription;
	int err = 0;

	if (!type.size)
		type = str_of("TAG");
	if (type.size > TYPE_MAX) {
		snprintf(why, why_size, "no filter has so long a type");
		return -ENOTSUP;
	}
	if (data->expression.size > EXPRESSION_MAX || data->topic.size > TOPIC_NAME_ROOM) {
		snprintf(why, why_size, "the topic or the expression is too long");
		return -EINVAL;
	}
	subscription = allocate(data, type);
	if (!subscription)
		return -ENOMEM;
	if (!str_is(type, "TAG") || (data->expression.size && !str_is(data->expression, "*")))
		err = compile(broker, subscription, why, why_size);
	if (err && (strict || err == -ENOMEM)) {
		subscription_release(subscription);
		return err;
	}
	subscription->broken = err != 0;
	*ret = subscription;
	return 0;
}

int subscription_new(struct broker *broker, const struct gantry_subscription_data *data,
		     struct subscription **ret, char *why, size_t why_size)
{
	return make(broker, data, true, ret, why, why_size);
}

int subscription_new_lenient(struct broker *broker, const struct gantry_subscription_data *data,
			     struct subscription **ret, char *why, size_t why_size)
{
	return make(broker, data, false, ret, why, why_size);
}

struct subscription *subscription_hold(struct subscription *subscription)
{
	__atomic_fetch_add(&subscription->refs, 1, __ATOMIC_RELAXED);
	return subscription;
}

void subscription_release(struct subscription *subscription)
{
	if (!subscription || __atomic_sub_fetch(&subscription->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	if (subscription->filter)
		subscription->filter_ops->free(subscription->filter);
	free(subscription);
}
