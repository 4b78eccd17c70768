/* SPDX-License-Identifier: Apache-2.0 */
/* The topics that every broker has, as RocketMQ 5.5.0 makes them. A topic of the same name in
 * topics.json is stronger. */
#include <errno.h>
#include <stdio.h>

#include "call/fields.h"
#include "topics/private.h"

enum { NORMAL = PERM_READ | PERM_WRITE, OPEN = NORMAL | PERM_INHERIT };
enum { CLUSTER_QUEUES = 16, BENCHMARK_QUEUES = 1024, SCHEDULE_QUEUES = 18 };

static int add(struct topics *topics, const char *prefix, const char *name, const char *suffix,
	       int64_t queues, int32_t perm)
{
	struct topic_config config;
	char room[512];
	int size = snprintf(room, sizeof(room), "%s%s%s", prefix, name, suffix);

	if (size < 0 || (size_t)size >= sizeof(room))
		return -ENAMETOOLONG;
	topic_config_init(&config, (struct gantry_str){room, (size_t)size});
	config.read_queues = config.write_queues = (int32_t)queues;
	config.perm = perm;
	if (topics_find_locked(topics, config.name))
		return 0; /* the broker may be named like its cluster */
	return topics_add_locked(topics, &config) ? 0 : -ENOMEM;
}

static int add_transactions(struct topics *topics)
{
	static const char *const names[] = {
		"RMQ_SYS_TRANS_HALF_TOPIC",
		"RMQ_SYS_TRANS_OP_HALF_TOPIC",
		"RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC",
		"RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(names) / sizeof(names[0]); i++)
		err = add(topics, "", names[i], "", 1, NORMAL);
	return err;
}

/* Topics that carry this broker's names. */
static int add_own(struct topics *topics)
{
	const struct broker *broker = topics->broker;
	const struct broker_conf *conf = broker->conf;
	int err = add(topics, "", broker->cluster, "", CLUSTER_QUEUES,
		      conf->clusterTopicEnable ? OPEN : PERM_INHERIT);

	if (!err)
		err = add(topics, "", broker->name, "", 1,
			  conf->brokerTopicEnable ? OPEN : PERM_INHERIT);
	if (!err)
		err = add(topics, "", broker->cluster, "_REPLY_TOPIC", 1, NORMAL);
	if (!err)
		err = add(topics, "rmq_sys_REVIVE_LOG_", broker->cluster, "", conf->reviveQueueNum,
			  NORMAL);
	if (!err)
		err = add(topics, "rmq_sys_SYNC_BROKER_MEMBER_", broker->name, "", 1, PERM_INHERIT);
	return err;
}

int topics_add_builtin(struct topics *topics)
{
	const struct broker_conf *conf = topics->broker->conf;
	int err = add(topics, "", "SELF_TEST_TOPIC", "", 1, NORMAL);

	if (!err && conf->autoCreateTopicEnable)
		err = add(topics, "", "TBW102", "", conf->defaultTopicQueueNums, OPEN);
	if (!err)
		err = add(topics, "", "BenchmarkTest", "", BENCHMARK_QUEUES, NORMAL);
	if (!err)
		err = add_own(topics);
	if (!err)
		err = add(topics, "", "OFFSET_MOVED_EVENT", "", 1, NORMAL);
	if (!err)
		err = add(topics, "", "SCHEDULE_TOPIC_XXXX", "", SCHEDULE_QUEUES, NORMAL);
	if (!err && conf->traceTopicEnable)
		err = add(topics, "", conf->msgTraceTopicName, "", 1, NORMAL);
	if (!err)
		err = add_transactions(topics);
	if (!err && conf->timerWheelEnable)
		err = add(topics, "", "rmq_sys_wheel_timer", "", 1, NORMAL);
	return err;
}
