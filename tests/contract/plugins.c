/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins.h"

const struct gantry_plugin *gantry_plugin_storage_mmap(void);
const struct gantry_plugin *gantry_plugin_storage_slow(void);
const struct gantry_plugin *gantry_plugin_replication_async(void);

const struct gk_static_plugin contract_plugins[] = {
	{"storage-mmap", gantry_plugin_storage_mmap},
	{"storage-slow", gantry_plugin_storage_slow},
	{"replication-async", gantry_plugin_replication_async},
	{0},
};
