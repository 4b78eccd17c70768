/* SPDX-License-Identifier: Apache-2.0 */
/* filterSupportRetry: messages of a retry topic are judged by the filter that the group has for the
 * topic they came from (as RocketMQ's ExpressionForRetryMessageFilter). */
#include "call/fields.h"
#include "message/properties.h"
#include "pull/private.h"

#define RETRY_PREFIX "%RETRY%"
#define RETRY_TOPIC "RETRY_TOPIC"

bool pull_retry_wanted(const struct pull_context *context)
{
	const struct subscription *subscription = context->subscription;

	return context->puller->broker->conf->filterSupportRetry &&
	       subscription->filter_caps & GANTRY_FILTER_NEEDS_RECORD &&
	       str_starts(subscription->topic, RETRY_PREFIX);
}

/* What the group wants of that topic; NULL: nothing is known. Messages of one topic mostly follow
 * each other, so the last one found is kept. */
static const struct subscription *find(struct pull_retry *retry, const struct pull_context *context,
				       struct gantry_str topic)
{
	struct gantry_str group = context->subscription->topic;
	struct subscription_info info = {0};

	if (retry->subscription && str_equal(retry->subscription->topic, topic))
		return retry->subscription;
	group.at += sizeof(RETRY_PREFIX) - 1;
	group.size -= sizeof(RETRY_PREFIX) - 1;
	clients_subscription(context->puller->broker->clients, group, topic, &info);
	if (!info.topic_known)
		return NULL;
	subscription_release(retry->subscription);
	retry->subscription = info.subscription;
	return retry->subscription;
}

bool pull_retry_match(struct pull_retry *retry, const struct pull_context *context,
		      const struct gantry_record_view *view)
{
	struct gantry_str topic = message_property_find(view->properties, str_of(RETRY_TOPIC));
	const struct subscription *subscription = topic.at ? find(retry, context, topic) : NULL;

	if (!subscription || !subscription->filter ||
	    !(subscription->filter_caps & GANTRY_FILTER_NEEDS_RECORD))
		return true;
	return subscription->filter_ops->match_record(subscription->filter, view);
}

void pull_retry_end(struct pull_retry *retry)
{
	subscription_release(retry->subscription);
	retry->subscription = NULL;
}
