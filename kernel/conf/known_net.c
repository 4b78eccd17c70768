/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: the keys of RocketMQ 5.5.0's networking and access control, and what
 * its start-up classes set. */
#include "conf/known.h"

/* BrokerStartup */
const struct gk_known gk_known_start_broker[] = {
	{"listenPort", "10911"},
	{NULL, NULL},
};

/* NamesrvStartup */
const struct gk_known gk_known_start_namesrv[] = {
	{"listenPort", "9876"},
	{NULL, NULL},
};

/* NettyServerConfig */
const struct gk_known gk_known_server[] = {
	{"bindAddress", "0.0.0.0"},
	{"enableShutdownGracefully", "false"},
	{"listenPort", "0"},
	{"serverAsyncSemaphoreValue", "64"},
	{"serverCallbackExecutorThreads", "0"},
	{"serverChannelMaxIdleTimeSeconds", "120"},
	{"serverNettyWorkerGroupEnable", "true"},
	{"serverOnewaySemaphoreValue", "256"},
	{"serverPooledByteBufAllocatorEnable", "true"},
	{"serverSelectorThreads", "3"},
	{"serverSocketBacklog", "1024"},
	{"serverSocketRcvBufSize", "0"},
	{"serverSocketSndBufSize", "0"},
	{"serverWorkerThreads", "8"},
	{"shutdownWaitTimeSeconds", "30"},
	{"useEpollNativeSelector", "false"},
	{"writeBufferHighWaterMark", "0"},
	{"writeBufferLowWaterMark", "0"},
	{NULL, NULL},
};

/* NettyClientConfig */
const struct gk_known gk_known_client[] = {
	{"channelNotActiveInterval", "60000"},
	{"clientAsyncSemaphoreValue", "65535"},
	{"clientCallbackExecutorThreads", "2"},
	{"clientChannelMaxIdleTimeSeconds", "120"},
	{"clientCloseSocketIfTimeout", "true"},
	{"clientOnewaySemaphoreValue", "65535"},
	{"clientPooledByteBufAllocatorEnable", "false"},
	{"clientSocketRcvBufSize", "0"},
	{"clientSocketSndBufSize", "0"},
	{"clientWorkerThreads", "4"},
	{"connectTimeoutMillis", "3000"},
	{"disableCallbackExecutor", "false"},
	{"disableNettyWorkerGroup", "false"},
	{"enableReconnectForGoAway", "true"},
	{"maxReconnectIntervalTimeSeconds", "60"},
	{"scanAvailableNameSrv", "true"},
	{"socksProxyConfig", "{}"},
	{"useTLS", "=tls.enable"},
	{"writeBufferHighWaterMark", "0"},
	{"writeBufferLowWaterMark", "0"},
	{NULL, NULL},
};

/* AuthConfig */
const struct gk_known gk_known_auth[] = {
	{"aclCacheExpiredSecond", "600"},
	{"aclCacheMaxNum", "1000"},
	{"aclCacheRefreshSecond", "60"},
	{"authConfigPath", "=storePathRootDir/config"},
	{"authenticationEnabled", "false"},
	{"authenticationMetadataProvider", NULL},
	{"authenticationProvider", NULL},
	{"authenticationStrategy", NULL},
	{"authenticationWhitelist", NULL},
	{"authorizationEnabled", "false"},
	{"authorizationMetadataProvider", NULL},
	{"authorizationProvider", NULL},
	{"authorizationStrategy", NULL},
	{"authorizationWhitelist", NULL},
	{"clusterName", "=brokerClusterName"},
	{"configName", "=brokerName"},
	{"initAuthenticationUser", NULL},
	{"innerClientAuthenticationCredentials", NULL},
	{"migrateAuthFromV1Enabled", "false"},
	{"statefulAuthenticationCacheExpiredSecond", "60"},
	{"statefulAuthenticationCacheMaxNum", "10000"},
	{"statefulAuthorizationCacheExpiredSecond", "60"},
	{"statefulAuthorizationCacheMaxNum", "10000"},
	{"userCacheExpiredSecond", "600"},
	{"userCacheMaxNum", "1000"},
	{"userCacheRefreshSecond", "60"},
	{NULL, NULL},
};
