/* SPDX-License-Identifier: Apache-2.0 */
/* The name server role's keys: RocketMQ's names and defaults. */
#include "namesrv.h"

#define KEY(type_, name_, ...) GANTRY_KEY(type_, struct namesrv_conf, name_, #name_, __VA_ARGS__)
#define POSITIVE .min = 1, .max = INT64_MAX
#define CHANGES .flags = GANTRY_CONF_RELOAD | GANTRY_CONF_REMOTE

const struct gantry_conf_item namesrv_keys[] = {
	KEY(PATH, kvConfigPath, .dflt = "~/namesrv/kvConfig.json",
	    .help = "file of the KV configuration"),
	KEY(BOOL, orderMessageEnable, CHANGES, .dflt = "false",
	    .help = "routes carry the topic's order configuration"),
	KEY(BOOL, returnOrderTopicConfigToBroker, CHANGES, .dflt = "true",
	    .help = "a registration is answered with the order configuration"),
	KEY(BOOL, supportActingMaster, CHANGES, .dflt = "false",
	    .help = "show a slave as master of a broker that has lost its own"),
	KEY(BOOL, notifyMinBrokerIdChanged, CHANGES, .dflt = "false",
	    .help = "tell a broker's nodes when another one has the lowest id"),
	KEY(BOOL, enableAllTopicList, CHANGES, .dflt = "true",
	    .help = "answer the list of all topics"),
	KEY(BOOL, enableTopicList, CHANGES, .dflt = "true",
	    .help = "answer lists of topics by cluster or kind"),
	KEY(BOOL, needWaitForService, CHANGES, .dflt = "false",
	    .help = "answer no routes before waitSecondsForService have passed"),
	KEY(BOOL, deleteTopicWithBrokerRegistration, CHANGES, .dflt = "false",
	    .help = "a registration removes the broker's topics that it does not name"),
	KEY(DURATION, scanNotActiveBrokerInterval, .dflt = "5000", POSITIVE, .unit = "ms",
	    .help = "how often silent brokers are looked for"),
	KEY(DURATION, brokerChannelExpiredTime, CHANGES, .dflt = "120000", POSITIVE, .unit = "ms",
	    .help = "silence after which a broker is forgotten, if it names no other (Gantry's "
		    "own key)"),
	KEY(INT, waitSecondsForService, CHANGES, .dflt = "45", .min = 0, .max = 86400, .unit = "s",
	    .help = "see needWaitForService"),
	KEY(BOOL, refuseTakenBrokerIds, CHANGES, .dflt = "false",
	    .help = "refuse a broker whose name and id another living one has (Gantry's own key)"),
	KEY(INT, maxTopics, .dflt = "200000", POSITIVE, .help = "most topics (Gantry's own key)"),
	KEY(INT, maxBrokers, .dflt = "10000", POSITIVE,
	    .help = "most broker names and most addresses (Gantry's own key)"),
	KEY(INT, maxKvEntries, .dflt = "100000", POSITIVE,
	    .help = "most namespaces and values of the KV configuration (Gantry's own key)"),
	{0},
};
