/* SPDX-License-Identifier: Apache-2.0 */
/* The broker role's keys: RocketMQ's names and defaults, in the order of struct broker_conf. */
#include <errno.h>
#include <stdio.h>

#include "broker.h"
#include "message/index_file.h"
#include "store/expire_rules.h"

static const char *const roles[] = {"ASYNC_MASTER", "SYNC_MASTER", "SLAVE", NULL};
static const char *const flushes[] = {"ASYNC_FLUSH", "SYNC_FLUSH", NULL};
static const char *const modes[] = {"PULL", "POP", NULL};

#define KEY(type_, name_, ...) GANTRY_KEY(type_, struct broker_conf, name_, #name_, __VA_ARGS__)
#define PORT .min = 0, .max = 65535
#define POSITIVE .min = 1, .max = INT64_MAX
#define MS .unit = "ms"
#define LIVE .flags = GANTRY_CONF_RELOAD | GANTRY_CONF_REMOTE
/* RocketMQ takes any number and puts it into its range where it is used */
#define ANY .min = INT32_MIN, .max = INT32_MAX

const struct gantry_conf_item broker_keys[] = {
	/* who it is, where it is found */
	KEY(STRING, brokerClusterName, .dflt = "DefaultCluster",
	    .help = "the cluster that this broker belongs to"),
	KEY(STRING, brokerName,
	    .help = "the broker's name, which a master and its slaves share; default: the host's "
		    "name"),
	KEY(INT, brokerId, .dflt = "0", .min = 0, .max = INT64_MAX,
	    .help = "0 is the master; slaves have larger ones"),
	KEY(STRING, brokerIP1,
	    .help = "address or host name that clients are told; default: this host's first"),
	KEY(STRING, brokerIP2,
	    .help = "address or host name that slaves are told; default: this host's first"),
	KEY(INT, listenPort, .dflt = "10911", PORT,
	    .help = "port that clients are told; 0: one that is free"),
	KEY(INT, haListenPort, .dflt = "0", PORT,
	    .help = "port that slaves are told; 0: listenPort + 1"),
	KEY(ENUM, brokerRole, .choices = roles, .dflt = "ASYNC_MASTER",
	    .help = "master or slave, and how a master replicates"),
	KEY(ENUM, flushDiskType, .choices = flushes, .dflt = "ASYNC_FLUSH",
	    .help = "whether a send waits for the disk"),
	KEY(STRING, regionId, .dflt = "DefaultRegion",
	    .help = "region that messages are marked with"),
	/* name servers */
	KEY(ADDRESS, namesrvAddr, .flags = GANTRY_CONF_LIST,
	    .help = "name servers to register at, host:port;host:port"),
	KEY(BOOL, fetchNameSrvAddrByDnsLookup, .dflt = "false",
	    .help = "register at every address that a name in namesrvAddr has, and look them up "
		    "again every updateNameServerAddrPeriod; false: at one of them"),
	KEY(DURATION, updateNameServerAddrPeriod, .dflt = "120000", .min = 1000, .max = INT64_MAX,
	    MS, .help = "see fetchNameSrvAddrByDnsLookup"),
	KEY(BOOL, fetchNamesrvAddrByAddressServer, .dflt = "false",
	    .help = "without namesrvAddr: the name servers are those that the page "
		    "http://rmqAddressServerDomain:8080/rocketmq/rmqAddressServerSubGroup lists"),
	KEY(DURATION, fetchNamesrvAddrInterval, .dflt = "10000", .min = 1000, .max = INT64_MAX, MS,
	    .help = "how often that page is read"),
	KEY(STRING, rmqAddressServerDomain, .dflt = "jmenv.tbsite.net",
	    .help = "see fetchNamesrvAddrByAddressServer; host or host:port"),
	KEY(STRING, rmqAddressServerSubGroup, .dflt = "nsaddr",
	    .help = "see fetchNamesrvAddrByAddressServer"),
	KEY(DURATION, registerNameServerPeriod, .dflt = "30000", POSITIVE, MS,
	    .help = "how often to register; between 10000 and 60000"),
	KEY(DURATION, registerBrokerTimeoutMills, .dflt = "24000", POSITIVE, MS,
	    .help = "how long a registration may take"),
	KEY(BOOL, enableSplitRegistration, .dflt = "false",
	    .help = "register topics in parts of splitRegistrationSize; more than 8192 always "
		    "come in parts"),
	KEY(INT, splitRegistrationSize, .dflt = "800", .min = 2, .max = 8192, .unit = "topics",
	    .help = "see enableSplitRegistration"),
	KEY(BOOL, forceRegister, .dflt = "true",
	    .help = "register every time; false: only when a name server holds another version"),
	/* topics and groups */
	KEY(BOOL, autoCreateTopicEnable, .dflt = "true", LIVE,
	    .help = "a send to an unknown topic makes it"),
	KEY(BOOL, autoCreateSubscriptionGroup, .dflt = "true", LIVE,
	    .help = "an unknown consumer group is made"),
	KEY(BOOL, clusterTopicEnable, .dflt = "true",
	    .help = "the topic named like the cluster may be used"),
	KEY(BOOL, brokerTopicEnable, .dflt = "true",
	    .help = "the topic named like the broker may be used"),
	KEY(BOOL, traceTopicEnable, .dflt = "false", .help = "make the topic for message traces"),
	KEY(BOOL, enableCreateSysGroup, .dflt = "true",
	    .help = "make RocketMQ's built-in consumer groups"),
	KEY(BOOL, timerWheelEnable, .dflt = "true", .help = "make the topic of timer messages"),
	KEY(BOOL, validateSystemTopicWhenUpdateTopic, .dflt = "true",
	    .help = "refuse to change or delete system topics"),
	KEY(BOOL, enableMixedMessageType, .dflt = "false",
	    .help = "topics may have message.type MIXED"),
	KEY(INT, defaultTopicQueueNums, .dflt = "8", .min = 1, .max = 65536, .unit = "queues",
	    .help = "queues of the topic TBW102, the most that automatic creation gives"),
	KEY(INT, brokerPermission, .dflt = "6", .min = 0, .max = 7, LIVE,
	    .help = "what clients may do: 2 write, 4 read, 6 both"),
	KEY(INT, reviveQueueNum, .dflt = "8", .min = 1, .max = 65536, .unit = "queues",
	    .help = "queues of the topic that popped messages are revived from"),
	KEY(STRING, msgTraceTopicName, .dflt = "RMQ_SYS_TRACE_TOPIC",
	    .help = "the topic for message traces"),
	KEY(STRING, messageDelayLevel,
	    .dflt = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
	    .help = "what the delay levels 1, 2, ... wait"),
	/* the store */
	KEY(PATH, storePathRootDir, .dflt = "~/store", .help = "where everything is kept"),
	KEY(STRING, storePathCommitLog,
	    .help = "folders of the commit log, separated by commas; default: "
		    "storePathRootDir/commitlog"),
	KEY(SIZE, mappedFileSizeCommitLog, .dflt = "1073741824", POSITIVE, .unit = "bytes",
	    .help = "size of a commit log file"),
	KEY(SIZE, mappedFileSizeConsumeQueue, .dflt = "6000000", POSITIVE, .unit = "bytes",
	    .help = "size of a consume queue file"),
	KEY(SIZE, mapperFileSizeBatchConsumeQueue, .dflt = "13800000", POSITIVE, .unit = "bytes",
	    .help = "size of a file of a queue whose topic has queue.type=BatchCQ"),
	KEY(BOOL, enableCompaction, .dflt = "true",
	    .help = "false: messages of topics with cleanup.policy=COMPACTION are kept like those "
		    "of others; true: such topics are refused"),
	KEY(BOOL, enableConsumeQueueExt, .dflt = "false",
	    .help = "keep tags codes and store times of queues' entries in consumequeue_ext"),
	KEY(SIZE, mappedFileSizeConsumeQueueExt, .dflt = "50331648", .min = 64, .max = INT32_MAX,
	    .unit = "bytes", .help = "size of a file in consumequeue_ext"),
	KEY(SIZE, maxMessageSize, .dflt = "4194304", POSITIVE, .unit = "bytes",
	    .help = "largest message body; one of more than 17 MiB with all that it says is "
		    "refused "
		    "in any case"),
	KEY(INT, maxTopicLength, .dflt = "127", .min = 1, .max = 32767, .unit = "bytes",
	    .help = "longest topic name that a message may carry"),
	KEY(INT, maxHashSlotNum, .dflt = "5000000", .min = 1, .max = INT32_MAX,
	    .help = "hash slots of an index file"),
	KEY(INT, maxIndexNum, .dflt = "20000000", .min = 2, .max = INT32_MAX,
	    .help = "entries of an index file"),
	KEY(DURATION, syncFlushTimeout, .dflt = "5000", POSITIVE, MS,
	    .help = "how long a send waits for the disk"),
	KEY(INT, fileReservedTime, .dflt = "72", .min = 0, .max = 1000000, .unit = "hours", LIVE,
	    .help = "how long commit log files are kept"),
	KEY(INT, diskMaxUsedSpaceRatio, .dflt = "75", ANY, .unit = "percent", LIVE,
	    .help = "when the disk is fuller, files older than fileReservedTime are removed at "
		    "any hour; 10 to 95"),
	KEY(INT, diskSpaceCleanForciblyRatio, .dflt = "85", ANY, .unit = "percent", LIVE,
	    .help = "when the disk is fuller, the oldest files are removed whatever their age; "
		    "30 to 85"),
	KEY(INT, diskSpaceWarningLevelRatio, .dflt = "90", ANY, .unit = "percent", LIVE,
	    .help = "when the disk is fuller, sends are refused (14); 35 to 90"),
	KEY(INT, accessMessageInMemoryMaxRatio, .dflt = "40", .min = 1, .max = 100,
	    .unit = "percent",
	    .help = "part of the memory that the log's end is taken to be cached in"),
	KEY(INT, startAcceptSendRequestTimeStamp, .dflt = "0", .min = 0, .max = INT64_MAX, MS,
	    .help = "refuse sends before this time (ms since the epoch)"),
	KEY(STRING, deleteWhen, .dflt = "04", LIVE,
	    .help = "hours of the day when old files are removed, 04;16"),
	KEY(STRING, readOnlyCommitLogStorePaths,
	    .help = "folders of the commit log that get no new files, separated by commas"),
	KEY(DURATION, cleanResourceInterval, .dflt = "10000", POSITIVE, MS,
	    .help = "how often the disk and the age of files are looked at"),
	KEY(DURATION, deleteCommitLogFilesInterval, .dflt = "100", MS, LIVE,
	    .help = "pause between two removals of commit log files"),
	KEY(DURATION, deleteConsumeQueueFilesInterval, .dflt = "100", MS, LIVE,
	    .help = "pause after files of a consume queue were removed"),
	KEY(DURATION, redeleteHangedFileInterval, .dflt = "120000", MS, LIVE,
	    .help = "when to try again with a file that could not be removed"),
	KEY(INT, deleteFileBatchMax, .dflt = "10", .min = 0, .max = INT32_MAX, .unit = "files",
	    LIVE, .help = "most commit log files that one look removes"),
	KEY(BOOL, cleanFileForciblyEnable, .dflt = "true", LIVE,
	    .help = "on a nearly full disk remove files before their time"),
	KEY(INT, defaultQueryMaxNum, .dflt = "32", POSITIVE, .unit = "messages",
	    .help = "most that a query by unique key brings"),
	KEY(INT, maxMsgsNumBatch, .dflt = "64", .min = 1, .max = 64, .unit = "messages",
	    .help = "most that any query brings"),
	KEY(BOOL, enableLmq, .dflt = "false",
	    .help = "take messages that name light queues (%LMQ%...) in INNER_MULTI_DISPATCH"),
	KEY(BOOL, enableMultiDispatch, .dflt = "false",
	    .help = "put messages into the light queues that they name, too"),
	KEY(INT, maxLmqConsumeQueueNum, .dflt = "20000", .min = 0, .max = 10000000,
	    .unit = "queues", .help = "most light queues"),
	KEY(BOOL, messageIndexEnable, .dflt = "true", .help = "keep the index of message keys"),
	KEY(BOOL, indexFileWriteEnable, .dflt = "true",
	    .help = "write index files; false: as messageIndexEnable=false"),
	KEY(BOOL, indexFileReadEnable, .dflt = "true", .help = "answer queries by key"),
	KEY(BOOL, enabledAppendPropCRC, .dflt = "false",
	    .help = "end each message with a checksum of all of it"),
	KEY(BOOL, forceVerifyPropCRC, .dflt = "false",
	    .help = "when recovering, check that checksum, which every message must then have"),
	KEY(BOOL, checkCRCOnRecover, .dflt = "true",
	    .help = "check the messages' checksums when recovering"),
	/* sending */
	KEY(BOOL, rejectTransactionMessage, .dflt = "false",
	    .help = "refuse transactional messages"),
	KEY(BOOL, traceOn, .dflt = "true", .help = "tell producers that they may trace"),
	KEY(BOOL, storeReplyMessageEnable, .dflt = "true",
	    .help = "store the replies that are passed on to clients"),
	/* transactions */
	KEY(DURATION, transactionTimeOut, .dflt = "6000", .min = 0, .max = INT32_MAX, MS, LIVE,
	    .help = "an undecided half message is asked for when it is older"),
	KEY(INT, transactionCheckMax, .dflt = "15", .min = 0, .max = INT32_MAX, LIVE,
	    .help = "how often at most, before it goes to TRANS_CHECK_MAX_TIME_TOPIC"),
	KEY(DURATION, transactionCheckInterval, .dflt = "30000", POSITIVE, MS, LIVE,
	    .help = "pause between two rounds of asking"),
	KEY(SIZE, transactionOpMsgMaxSize, .dflt = "4096", .min = 1, .max = 1048576,
	    .unit = "bytes", LIVE,
	    .help = "most that is gathered of settled transactions before it is written"),
	KEY(DURATION, transactionOpBatchInterval, .dflt = "3000", POSITIVE, MS,
	    .help = "how long that is gathered at most"),
	KEY(DURATION, transactionMetricFlushInterval, .dflt = "10000", POSITIVE, MS,
	    .help = "how often the numbers of open transactions are written"),
	/* pulling */
	KEY(BOOL, longPollingEnable, .dflt = "true",
	    .help = "hold a pull that finds nothing for as long as the client allows"),
	KEY(BOOL, slaveReadEnable, .dflt = "false",
	    .help = "send consumers that lag far behind to a slave"),
	KEY(BOOL, offsetCheckInSlave, .dflt = "false",
	    .help = "a slave corrects offsets that are out of range"),
	KEY(BOOL, litePullMessageEnable, .dflt = "true", .help = "serve lite pull consumers"),
	KEY(BOOL, enablePropertyFilter, .dflt = "false",
	    .help = "allow filters on message properties (SQL92)"),
	KEY(BOOL, filterSupportRetry, .dflt = "false",
	    .help = "judge messages of a retry topic by the filter of the topic they came from"),
	KEY(BOOL, rejectPullConsumerEnable, .dflt = "false",
	    .help = "refuse consumers that pull of their own accord"),
	KEY(DURATION, shortPollingTimeMills, .dflt = "1000", POSITIVE, MS,
	    .help = "how long a pull is held when longPollingEnable is off"),
	KEY(SIZE, maxTransferBytesOnMessageInMemory, .dflt = "262144", POSITIVE, .unit = "bytes",
	    .help = "most that one pull brings from memory"),
	KEY(INT, maxTransferCountOnMessageInMemory, .dflt = "32", POSITIVE, .unit = "messages",
	    .help = "most that one pull brings from memory"),
	KEY(SIZE, maxTransferBytesOnMessageInDisk, .dflt = "65536", POSITIVE, .unit = "bytes",
	    .help = "most that one pull brings from disk"),
	KEY(INT, maxTransferCountOnMessageInDisk, .dflt = "8", POSITIVE, .unit = "messages",
	    .help = "most that one pull brings from disk"),
	KEY(SIZE, maxFilterMessageSize, .dflt = "16000", POSITIVE, .unit = "bytes",
	    .help = "how much of a consume queue one pull looks through"),
	/* protection from more than can be served */
	KEY(BOOL, brokerFastFailureEnable, .dflt = "true", LIVE,
	    .help = "answer SYSTEM_BUSY to what waits for too long"),
	KEY(DURATION, waitTimeMillsInSendQueue, .dflt = "200", MS, LIVE,
	    .help = "how long a send waits for room in the log"),
	KEY(DURATION, waitTimeMillsInPullQueue, .dflt = "5000", MS, LIVE,
	    .help = "how long a pull waits for the disk"),
	KEY(DURATION, waitTimeMillsInLitePullQueue, .dflt = "5000", MS, LIVE,
	    .help = "how long a lite pull waits for the disk"),
	KEY(INT, sendThreadPoolQueueCapacity, .dflt = "10000", POSITIVE, .unit = "requests",
	    .help = "most sends that wait for room in the log"),
	KEY(INT, pullThreadPoolQueueCapacity, .dflt = "100000", POSITIVE, .unit = "requests",
	    .help = "most pulls that wait for the disk"),
	KEY(INT, litePullThreadPoolQueueCapacity, .dflt = "100000", POSITIVE, .unit = "requests",
	    .help = "most lite pulls that wait for the disk"),
	/* consumers */
	KEY(DURATION, flushConsumerOffsetInterval, .dflt = "5000", POSITIVE, MS,
	    .help = "how often consumer offsets are written"),
	KEY(DURATION, channelExpiredTimeout, .dflt = "120000", POSITIVE, MS,
	    .help = "a client without heartbeats for so long is closed"),
	KEY(DURATION, subscriptionExpiredTimeout, .dflt = "600000", POSITIVE, MS,
	    .help = "a subscription that only pulls bring is forgotten after so long"),
	KEY(INT, consumerOffsetUpdateVersionStep, .dflt = "500", POSITIVE, .unit = "commits",
	    .help = "how many commits make a new version of the offsets"),
	KEY(DURATION, flushDelayOffsetInterval, .dflt = "10000", POSITIVE, MS,
	    .help = "how often delayOffset.json is written"),
	KEY(INT, delayOffsetUpdateVersionStep, .dflt = "200", POSITIVE, .unit = "messages",
	    .help = "how many delivered messages make a new version of delayOffset.json"),
	KEY(BOOL, notifyConsumerIdsChangedEnable, .dflt = "true",
	    .help = "tell a group's members when one comes or goes"),
	KEY(BOOL, serverLoadBalancerEnable, .dflt = "true",
	    .help = "balance for consumers that ask; false: they get every queue"),
	KEY(BOOL, useServerSideResetOffset, .dflt = "true",
	    .help = "keep an offset that an operator sets, and tell consumers with their next "
		    "pull; false: tell those that are online"),
	KEY(BOOL, enableBroadcastOffsetStore, .dflt = "true",
	    .help = "note how far members of broadcasting groups are, for those who come by a "
		    "proxy"),
	KEY(INT, broadcastOffsetExpireSecond, .dflt = "120", .min = 0, .max = INT32_MAX,
	    .unit = "seconds", .help = "how long that is known of a member that has gone"),
	KEY(INT, broadcastOffsetExpireMaxSecond, .dflt = "300", .min = 0, .max = INT32_MAX,
	    .unit = "seconds", .help = "how long of one that is there and does not pull"),
	KEY(ENUM, defaultMessageRequestMode, .choices = modes, .dflt = "PULL",
	    .help = "how groups get messages when nothing was set"),
	KEY(INT, defaultPopShareQueueNum, .dflt = "-1", .min = -1, .max = INT32_MAX,
	    .help = "how many members' queues one that pops works on; -1: all"),
	KEY(BOOL, enableSplitMetadata, .dflt = "true",
	    .help = "answer questions for all topics or groups in pages, if they are asked for"),
	KEY(INT, splitMetadataSize, .dflt = "2000", .min = 1, .max = INT32_MAX,
	    .unit = "topics or groups", .help = "most entries of such a page"),
	KEY(DURATION, slaveSyncInterval, .dflt = "10000", .min = 10, .max = INT32_MAX, MS,
	    .help = "how often a slave asks its master for topics, groups and offsets (Gantry's "
		    "own key)"),
	/* limits, ours */
	KEY(INT, maxTopics, .dflt = "100000", POSITIVE, .help = "most topics (Gantry's own key)"),
	KEY(INT, maxGroups, .dflt = "100000", POSITIVE,
	    .help = "most subscription groups, and client groups (Gantry's own key)"),
	KEY(INT, maxGroupClients, .dflt = "10000", POSITIVE,
	    .help = "most members of a group (Gantry's own key)"),
	KEY(INT, maxGroupSubscriptions, .dflt = "10000", POSITIVE,
	    .help = "most topics that a group subscribes (Gantry's own key)"),
	KEY(INT, maxOffsets, .dflt = "4000000", POSITIVE,
	    .help = "most queue offsets kept for all groups together (Gantry's own key)"),
	{0},
};

int broker_conf_check(const void *snapshot, char *why, size_t why_size)
{
	const struct broker_conf *conf = snapshot;
	const struct message_index_shape shape = {
		.slots = (uint32_t)conf->maxHashSlotNum,
		.entries = (uint32_t)conf->maxIndexNum,
	};

	if (conf->brokerRole == BROKER_SLAVE && conf->brokerId == 0) {
		snprintf(why, why_size, "brokerRole=SLAVE needs a brokerId greater than 0");
		return -EINVAL;
	}
	if (conf->haListenPort && conf->haListenPort == conf->listenPort) {
		snprintf(why, why_size, "haListenPort and listenPort are both %lld",
			 (long long)conf->listenPort);
		return -EINVAL;
	}
	if (!expire_hours_are_good(conf->deleteWhen)) {
		snprintf(why, why_size, "deleteWhen=%s is no list of hours, like 04;16",
			 conf->deleteWhen);
		return -EINVAL;
	}
	if (!message_index_size(&shape)) {
		snprintf(why, why_size,
			 "maxHashSlotNum=%lld and maxIndexNum=%lld make index files of 2 GiB or "
			 "more",
			 (long long)conf->maxHashSlotNum, (long long)conf->maxIndexNum);
		return -EINVAL;
	}
	return 0;
}
