/* SPDX-License-Identifier: Apache-2.0 */
/* The broker role: what its parts share. One struct broker an instance, made in setup, freed in
 * free. The parts: topics, groups, offsets, clients (control), store, sender, puller (messages),
 * registrar (name servers). Each part owns its own state and names its own lock. */
#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <time.h>

#include <gantry/conf.h>
#include <gantry/log.h>
#include <gantry/plugin.h>
#include <gantry/role.h>

#ifdef __cplusplus
extern "C" {
#endif

struct clients;
struct client_channel;
struct features;
struct groups;
struct hold;
struct locks;
struct modes;
struct offsets;
struct puller;
struct putter;
struct registrar;
struct route_cache;
struct sender;
struct stats;
struct store;
struct topics;

/* MQVersion's ordinal and name of the release that this broker behaves like. */
enum { BROKER_VERSION = 513 };
#define BROKER_VERSION_NAME "V5_5_0"

enum broker_role { BROKER_ASYNC_MASTER, BROKER_SYNC_MASTER, BROKER_SLAVE };
enum broker_leads { BROKER_FOLLOWS, BROKER_CATCHES_UP, BROKER_LEADS };
enum flush_disk { FLUSH_ASYNC, FLUSH_SYNC };

/* The snapshot that the key table in broker_conf.c fills. Fields carry RocketMQ's key names. */
struct broker_conf {
	/* who it is, where it is found */
	const char *brokerClusterName, *brokerName; /* brokerName NULL: the host's name */
	int64_t brokerId;
	const char *brokerIP1, *brokerIP2; /* NULL: found out */
	int64_t listenPort, haListenPort;  /* haListenPort 0: listenPort + 1 */
	int32_t brokerRole, flushDiskType;
	const char *regionId;
	/* name servers */
	struct gantry_conf_list namesrvAddr;
	int64_t registerNameServerPeriod, registerBrokerTimeoutMills;
	int64_t updateNameServerAddrPeriod, fetchNamesrvAddrInterval;
	const char *rmqAddressServerDomain, *rmqAddressServerSubGroup;
	bool forceRegister, enableSplitRegistration, fetchNameSrvAddrByDnsLookup,
		fetchNamesrvAddrByAddressServer;
	int64_t splitRegistrationSize;
	/* topics and groups */
	bool autoCreateTopicEnable, autoCreateSubscriptionGroup, clusterTopicEnable,
		brokerTopicEnable, traceTopicEnable, enableCreateSysGroup, timerWheelEnable,
		validateSystemTopicWhenUpdateTopic, enableMixedMessageType;
	int64_t defaultTopicQueueNums, brokerPermission, reviveQueueNum;
	const char *msgTraceTopicName, *messageDelayLevel;
	/* the store */
	const char *storePathRootDir, *storePathCommitLog, /* NULL: root/commitlog */
		*readOnlyCommitLogStorePaths;
	int64_t mappedFileSizeCommitLog, mappedFileSizeConsumeQueue,
		mapperFileSizeBatchConsumeQueue, mappedFileSizeConsumeQueueExt, maxMessageSize,
		maxTopicLength, maxHashSlotNum, maxIndexNum, syncFlushTimeout, fileReservedTime,
		diskMaxUsedSpaceRatio, diskSpaceCleanForciblyRatio, diskSpaceWarningLevelRatio,
		cleanResourceInterval, deleteCommitLogFilesInterval,
		deleteConsumeQueueFilesInterval, redeleteHangedFileInterval, deleteFileBatchMax,
		accessMessageInMemoryMaxRatio, startAcceptSendRequestTimeStamp;
	const char *deleteWhen;
	int64_t defaultQueryMaxNum, maxMsgsNumBatch;
	bool enableLmq, enableMultiDispatch, enableCompaction, enableConsumeQueueExt;
	int64_t maxLmqConsumeQueueNum;
	bool cleanFileForciblyEnable, messageIndexEnable, indexFileWriteEnable, indexFileReadEnable,
		enabledAppendPropCRC, forceVerifyPropCRC, checkCRCOnRecover;
	/* sending */
	bool rejectTransactionMessage, traceOn, storeReplyMessageEnable;
	/* transactions */
	int64_t transactionTimeOut, transactionCheckMax, transactionCheckInterval,
		transactionOpMsgMaxSize, transactionOpBatchInterval, transactionMetricFlushInterval;
	/* pulling */
	bool longPollingEnable, slaveReadEnable, offsetCheckInSlave, litePullMessageEnable,
		enablePropertyFilter, filterSupportRetry, rejectPullConsumerEnable;
	int64_t shortPollingTimeMills, maxTransferBytesOnMessageInMemory,
		maxTransferCountOnMessageInMemory, maxTransferBytesOnMessageInDisk,
		maxTransferCountOnMessageInDisk, maxFilterMessageSize;
	/* protection from more than can be served */
	bool brokerFastFailureEnable;
	int64_t waitTimeMillsInSendQueue, waitTimeMillsInPullQueue, waitTimeMillsInLitePullQueue,
		sendThreadPoolQueueCapacity, pullThreadPoolQueueCapacity,
		litePullThreadPoolQueueCapacity;
	/* consumers */
	int64_t flushConsumerOffsetInterval, channelExpiredTimeout, subscriptionExpiredTimeout,
		consumerOffsetUpdateVersionStep, flushDelayOffsetInterval,
		delayOffsetUpdateVersionStep;
	int64_t broadcastOffsetExpireSecond, broadcastOffsetExpireMaxSecond;
	bool notifyConsumerIdsChangedEnable, serverLoadBalancerEnable, useServerSideResetOffset,
		enableBroadcastOffsetStore;
	int32_t defaultMessageRequestMode;
	int64_t defaultPopShareQueueNum;
	bool enableSplitMetadata;
	int64_t splitMetadataSize;
	int64_t slaveSyncInterval; /* ours, not RocketMQ's */
	/* limits of what peers may make this broker hold; ours, not RocketMQ's */
	int64_t maxTopics, maxGroups, maxGroupClients, maxGroupSubscriptions, maxOffsets;
};

/* Values that may change while the broker runs, for those who read them at any time; atomics,
 * written by live.c on the control thread. */
struct broker_live {
	int32_t permission; /* brokerPermission */
	uint32_t auto_create_topic, auto_create_group;
};

struct broker {
	struct broker_live live;
	struct gantry_inst *inst;
	const struct broker_conf
		*conf;       /* the snapshot of setup; reloadable keys: live, gantry_conf() */
	char *name;          /* brokerName in force */
	const char *cluster; /* brokerClusterName */
	int64_t id;          /* brokerId in force: a master's is always 0 */
	char *ip1, *ip2;     /* as advertised: an address or a host name */
	char *config_dir;    /* storePathRootDir/config */
	struct gantry_address store_address; /* ip1 resolved, fixed since start; for its port use
						broker_store_host() */
	uint32_t port_found;                 /* atomic: the front-end's port when listenPort is 0 */
	int64_t started_ms;                  /* wall clock */
	struct topics *topics;
	struct groups *groups;
	struct offsets *offsets;
	struct clients *clients;
	struct locks *locks;
	struct modes *modes;
	struct registrar *registrar;
	struct route_cache *route_cache;
	struct store *store;       /* from store_open() on */
	struct sender *sender;     /* from sender_new() on */
	struct puller *puller;     /* from puller_new() on */
	struct putter *putter;     /* from putter_new() on */
	struct features *features; /* from features_new() on */
	struct call_table *calls;
	struct stats *stats;
	struct reports *reports;
	uint64_t conf_changes; /* atomic; by UPDATE_BROKER_CONFIG */
	uint32_t leads;        /* atomic, enum broker_leads; by store_role(), as replication says */
};

/* What the role keeps for one connected client: session->role_data. Touched on the session's loop
 * only. Made on first use, freed when gone() is done. */
struct broker_session {
	struct client_channel
		*channel;   /* clients/clients.c: its groups; NULL before the first heartbeat */
	struct hold *holds; /* pull/hold.c: the first of its held pulls */
};

/* The session's record, made if need be; NULL: out of memory. On the session's loop. */
struct broker_session *broker_session(struct gantry_session *session);

static inline struct broker *broker_of(const struct gantry_inst *inst)
{
	return *(struct broker **)gantry_data(inst);
}

/* Milliseconds since the epoch. */
static inline int64_t broker_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* The host that message ids name; its port is listenPort, or what the front-end found. Any
 * thread. */
void broker_store_host(struct broker *broker, struct gantry_address *ret);
uint16_t broker_port(struct broker *broker);

/* It may not do what only a master may: it is a slave, or another node leads now. */
static inline bool broker_is_slave(const struct broker *broker)
{
	return broker->conf->brokerRole == BROKER_SLAVE ||
	       !__atomic_load_n(&broker->leads, __ATOMIC_RELAXED);
}

/* The part of the memory that the log's end is taken to be in: accessMessageInMemoryMaxRatio, of
 * which RocketMQ takes 10 off for a slave. */
static inline uint64_t broker_memory_percent(const struct broker *broker)
{
	int64_t percent = broker->conf->accessMessageInMemoryMaxRatio;

	if (broker->conf->brokerRole == BROKER_SLAVE)
		percent -= 10;
	return percent > 0 ? (uint64_t)percent : 0;
}

/* Finds or resolves ip1 and ip2, warns of what clients cannot reach. Control thread, in start;
 * asks the resolver. -EINVAL with a log line. */
int broker_find_addresses(struct broker *broker);

static inline bool broker_may(const struct broker *broker, int32_t perm)
{
	return __atomic_load_n(&broker->live.permission, __ATOMIC_RELAXED) & perm;
}

/* live.c: takes the reloadable values of a snapshot over. Control thread. */
void broker_take_live(struct broker *broker, const struct broker_conf *conf);
/* gantry_lifecycle.reload. */
int broker_reload(struct broker *broker, const struct broker_conf *fresh);

/* The key table of broker_conf.c. */
extern const struct gantry_conf_item broker_keys[];
int broker_conf_check(const void *conf, char *why, size_t why_size);

#ifdef __cplusplus
}
#endif
#endif
