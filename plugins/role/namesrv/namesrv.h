/* SPDX-License-Identifier: Apache-2.0 */
/* The name server role: what its parts share. */
#ifndef NAMESRV_H
#define NAMESRV_H

#include <stdbool.h>

#include <gantry/conf.h>
#include <gantry/log.h>
#include <gantry/plugin.h>
#include <gantry/role.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ns_kv;
struct ns_notices;
struct ns_routes;

struct namesrv_conf { /* fields carry RocketMQ's key names */
	const char *kvConfigPath;
	bool orderMessageEnable, returnOrderTopicConfigToBroker, supportActingMaster,
		enableAllTopicList, enableTopicList, needWaitForService,
		deleteTopicWithBrokerRegistration, notifyMinBrokerIdChanged, refuseTakenBrokerIds;
	int64_t scanNotActiveBrokerInterval, waitSecondsForService;
	int64_t brokerChannelExpiredTime; /* ours: a constant in RocketMQ */
	/* limits of what peers may make this process hold; ours, not RocketMQ's */
	int64_t maxTopics, maxBrokers, maxKvEntries;
};

struct namesrv {
	struct gantry_inst *inst;
	const struct namesrv_conf *conf; /* ns_conf(); atomic */
	struct ns_routes *routes;
	struct ns_kv *kv;
	struct ns_notices *notices;
	struct gantry_timer *scan; /* the control loop's */
	uint64_t started_ms;       /* gantry_clock_ms() */
	struct gantry_log_limit refused_limit, outdated_limit, taken_limit, kept_limit;
};

/* The values in force, which SIGHUP and UPDATE_NAMESRV_CONFIG may replace between two calls. */
static inline const struct namesrv_conf *ns_conf(const struct namesrv *namesrv)
{
	return __atomic_load_n(&namesrv->conf, __ATOMIC_ACQUIRE);
}

struct ns_call_row {
	int32_t code; /* RocketMQ's RequestCode; 0 ends a feature's rows */
	const char *name;
	/* 0: the answer is in call. Never negative, never pending. */
	int (*run)(struct namesrv *namesrv, struct gantry_call *call);
	/* In place of run: 0 as there, positive: op finishes when the answer is in call. */
	int (*start)(struct namesrv *namesrv, struct gantry_call *call, struct gantry_op *op);
};

/* The features; each file exports its rows. */
extern const struct ns_call_row ns_broker_calls[], ns_topic_calls[], ns_kv_calls[],
	ns_config_calls[];

extern const struct gantry_conf_item namesrv_keys[];

#ifdef __cplusplus
}
#endif
#endif
