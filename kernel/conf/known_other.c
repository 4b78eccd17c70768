/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: keys that RocketMQ reads elsewhere, and keys that it reads no more. */
#include "conf/known.h"

/* read from the JVM's system properties or by the start-up script, seen in property files too */
const struct gk_known gk_known_system[] = {
	{"rmqAddressServerDomain", "jmenv.tbsite.net"},
	{"rmqAddressServerSubGroup", "nsaddr"},
	{"tls.ciphers", NULL},
	{"tls.client.authServer", "false"},
	{"tls.client.certPath", NULL},
	{"tls.client.keyPassword", NULL},
	{"tls.client.keyPath", NULL},
	{"tls.client.trustCertPath", NULL},
	{"tls.config.file", "/etc/rocketmq/tls.properties"},
	{"tls.enable", "false"},
	{"tls.protocols", NULL},
	{"tls.server.authClient", "false"},
	{"tls.server.certPath", NULL},
	{"tls.server.keyPassword", NULL},
	{"tls.server.keyPath", NULL},
	{"tls.server.mode", "permissive"},
	{"tls.server.need.client.auth", "none"},
	{"tls.server.trustCertPath", NULL},
	{"tls.test.mode.enable", "true"},
	{NULL, NULL},
};

/* Setters of releases 4.0.0 to 5.3.3 that 5.5.0 has no more, fields without a setter, and keys of
 * the time before Apache that articles still carry. */
const struct gk_gone gk_gone_keys[] = {
	{"abortFile", "storePathRootDir", "/abort"},
	{"batchWriteKvCqSize", NULL, NULL},
	{"checkTransactionMessageEnable", NULL, NULL},
	{"commercialBigCount", NULL, NULL},
	{"commercialEnable", NULL, NULL},
	{"commercialTimerCount", NULL, NULL},
	{"commercialTransCount", NULL, NULL},
	{"enableTransparentRetry", NULL, NULL},
	{"filterServerNums", NULL, NULL},
	{"haSlaveFallbehindMax", "haMaxGapNotInSync", NULL},
	{"isBrokerContainer", NULL, NULL},
	{"isInBrokerContainer", "inBrokerContainer", NULL},
	{"isProcessReadEvent", "processReadEvent", NULL},
	{"isScanAvailableNameSrv", "scanAvailableNameSrv", NULL},
	{"mapedFileSizeCommitLog", "mappedFileSizeCommitLog", NULL},
	{"mapedFileSizeConsumeQueue", "mappedFileSizeConsumeQueue", NULL},
	{"maxDelayTime", NULL, NULL},
	{"memTableFlushInterval", "memTableFlushIntervalMs", NULL},
	{"serverLoadBalancerEnabled", "serverLoadBalancerEnable", NULL},
	{"storeCheckpoint", "storePathRootDir", "/checkpoint"},
	{"storePathConsumeQueue", "storePathRootDir", "/consumequeue"},
	{"storePathIndex", "storePathRootDir", "/index"},
	{"timerCheckMetricsWhen", NULL, NULL},
	{"timerEnableDisruptor", NULL, NULL},
	{"timerStopDequeue", NULL, NULL},
	{"timerWarmEnable", NULL, NULL},
	{"transferMetadataJsonToRocksdb", NULL, NULL},
	{"transferOffsetJsonToRocksdb", NULL, NULL},
	{NULL, NULL, NULL},
};
