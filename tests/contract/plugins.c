/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins.h"

const struct gantry_plugin *gantry_plugin_storage_mmap(void);
const struct gantry_plugin *gantry_plugin_storage_io_uring(void);
const struct gantry_plugin *gantry_plugin_storage_slow(void);
const struct gantry_plugin *gantry_plugin_replication_async(void);
const struct gantry_plugin *gantry_plugin_replication_sync(void);
const struct gantry_plugin *gantry_plugin_replication_slave(void);
const struct gantry_plugin *gantry_plugin_replication_sync_double(void);
const struct gantry_plugin *gantry_plugin_replication_quorum_double(void);
const struct gantry_plugin *gantry_plugin_replication_follower_double(void);
const struct gantry_plugin *gantry_plugin_replication_divided_double(void);

const struct gk_static_plugin contract_plugins[] = {
	{"storage-mmap", gantry_plugin_storage_mmap},
	{"storage-io-uring", gantry_plugin_storage_io_uring},
	{"storage-slow", gantry_plugin_storage_slow},
	{"replication-async", gantry_plugin_replication_async},
	{"replication-sync", gantry_plugin_replication_sync},
	{"replication-slave", gantry_plugin_replication_slave},
	{"replication-sync-double", gantry_plugin_replication_sync_double},
	{"replication-quorum-double", gantry_plugin_replication_quorum_double},
	{"replication-follower-double", gantry_plugin_replication_follower_double},
	{"replication-divided-double", gantry_plugin_replication_divided_double},
	{0},
};
