/* SPDX-License-Identifier: Apache-2.0 */
/* Which messages a pull wants: its own subscription, or what its group said in heartbeats. */
#include <errno.h>

#include "call/fields.h"
#include "pull/private.h"

enum { FORBIDDEN_BROADCASTING = 4, FORBIDDEN_SUBSCRIPTION = 5 };

#define MORE "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."

static bool is_tag(struct gantry_str type)
{
	return !type.size || str_is(type, "TAG");
}

static bool forbids_type(const struct pull_context *context, struct gantry_str type)
{
	return !is_tag(type) && !context->puller->broker->conf->enablePropertyFilter;
}

static int refuse_type(struct pull_context *context, struct gantry_str type)
{
	return pull_refuse(context, GANTRY_SYSTEM_ERROR, 0,
			   "The broker does not support consumer to filter message by %.*s",
			   STR_ARGS(type));
}

static int refuse_expression(struct pull_context *context)
{
	return pull_refuse(context, GANTRY_SUBSCRIPTION_PARSE_FAILED, 0,
			   "parse the consumer's subscription failed");
}

static int take_own(struct pull_context *context)
{
	struct gantry_str type = context->pull->expression_type;
	char why[128];
	int status;

	/* RocketMQ wants an expression with any type but TAG, before it looks at the type */
	if (type.at && !str_is(type, "TAG") && !context->pull->subscription.size)
		return refuse_expression(context);
	status = clients_subscription_of_pull(context->puller->broker, context->pull,
					      &context->subscription, why, sizeof(why));
	if (status == -ENOTSUP || (status == -EINVAL && forbids_type(context, type)))
		return refuse_type(context, type);
	if (status == -EINVAL)
		return refuse_expression(context);
	if (status)
		return pull_refuse(context, GANTRY_SYSTEM_ERROR, 0, "no memory");
	return 0;
}

/* What the group as a whole may do. */
static int check_group(struct pull_context *context, const struct subscription_info *info)
{
	struct gantry_str group = context->group->name, topic = context->topic->name;

	if (!info->group_known)
		return pull_refuse(context, GANTRY_SUBSCRIPTION_NOT_EXIST, 0,
				   "the consumer's group info not exist" MORE);
	if (!GROUP_READ(context->group, consume_broadcast_enable) &&
	    info->message_model == GANTRY_BROADCASTING)
		return pull_refuse(context, GANTRY_NO_PERMISSION, FORBIDDEN_BROADCASTING,
				   "the consumer group[%.*s] can not consume by broadcast way",
				   STR_ARGS(group));
	if (groups_forbids_read(context->puller->broker->groups, group, topic))
		return pull_refuse(context, GANTRY_NO_PERMISSION, FORBIDDEN_SUBSCRIPTION,
				   "the consumer group[%.*s] is forbidden for topic[%.*s]",
				   STR_ARGS(group), STR_ARGS(topic));
	if (!info->topic_known)
		return pull_refuse(context, GANTRY_SUBSCRIPTION_NOT_EXIST, 0,
				   "the consumer's subscription not exist" MORE);
	return 0;
}

static int take_groups(struct pull_context *context)
{
	struct subscription_info info = {0};

	clients_subscription(context->puller->broker->clients, context->group->name,
			     context->topic->name, &info);
	if (info.topic_known)
		context->subscription = info.subscription;
	if (info.message_model == GANTRY_BROADCASTING && info.group_known &&
	    info.consume_type == GANTRY_CONSUME_PASSIVELY)
		context->broadcast = PULL_BROADCAST;
	if (check_group(context, &info))
		return 1;
	if (context->subscription->version < context->pull->sub_version)
		return pull_refuse(context, GANTRY_SUBSCRIPTION_NOT_LATEST, 0,
				   "the consumer's subscription not latest");
	return 0;
}

int pull_find_subscription(struct pull_context *context)
{
	return context->pull->flags & GANTRY_PULL_SUBSCRIPTION ? take_own(context)
							       : take_groups(context);
}

int pull_check_filter(struct pull_context *context)
{
	const struct subscription *subscription = context->subscription;

	if (is_tag(subscription->expression_type))
		return 0;
	/* RocketMQ looks for the filter before it asks whether there may be one */
	if (!subscription->filter)
		return pull_refuse(
			context, GANTRY_FILTER_DATA_NOT_EXIST, 0,
			"The broker's consumer filter data is not exist!Your expression may "
			"be wrong!");
	if (forbids_type(context, subscription->expression_type))
		return refuse_type(context, subscription->expression_type);
	return 0;
}

static bool is_system_group(struct gantry_str group)
{
	return str_starts(group, "CID_RMQ_SYS_");
}

int pull_check_member(struct pull_context *context)
{
	const struct broker *broker = context->puller->broker;
	struct subscription_info info = {0};
	bool actively;

	if (!broker->conf->rejectPullConsumerEnable)
		return 0;
	clients_subscription(broker->clients, context->group->name, context->topic->name, &info);
	subscription_release(info.topic_known ? info.subscription : NULL);
	actively = !info.group_known || info.consume_type == GANTRY_CONSUME_ACTIVELY;
	if (!actively || is_system_group(context->group->name) ||
	    clients_is_member(broker->clients, context->group->name, context->pull->session))
		return 0;
	return pull_refuse(
		context, GANTRY_SUBSCRIPTION_NOT_EXIST, 0,
		"the consumer's group info not exist, or the pull consumer is rejected by "
		"server." MORE);
}
