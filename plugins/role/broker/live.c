/* SPDX-License-Identifier: Apache-2.0 */
/* What a SIGHUP or UPDATE_BROKER_CONFIG changes while the broker runs. The store's keys are read
 * from gantry_conf() where they are used. */
#include "topics/private.h"

static void put(uint32_t *to, bool value)
{
	__atomic_store_n(to, value, __ATOMIC_RELAXED);
}

void broker_take_live(struct broker *broker, const struct broker_conf *conf)
{
	__atomic_store_n(&broker->live.permission, (int32_t)conf->brokerPermission,
			 __ATOMIC_RELAXED);
	put(&broker->live.auto_create_topic, conf->autoCreateTopicEnable);
	put(&broker->live.auto_create_group, conf->autoCreateSubscriptionGroup);
}

int broker_reload(struct broker *broker, const struct broker_conf *fresh)
{
	int32_t before = __atomic_load_n(&broker->live.permission, __ATOMIC_RELAXED);

	broker_take_live(broker, fresh);
	if (before != fresh->brokerPermission)
		topics_announce(broker->topics, NULL, 0); /* registers all of them anew */
	return 0;
}
