/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that are part of the broker's tests. */
#include "plugins.h"

#include "../crash/recorder.h"

const struct gantry_plugin *gantry_plugin_storage_mmap(void);
const struct gantry_plugin *gantry_plugin_replication_async(void);
const struct gantry_plugin *gantry_plugin_replication_follower_double(void);
const struct gantry_plugin *gantry_plugin_filter_tag(void);
const struct gantry_plugin *gantry_plugin_filter_sql92(void);
const struct gantry_plugin *gantry_plugin_role_broker(void);

const struct gk_static_plugin broker_plugins[] = {
	{"storage-mmap", gantry_plugin_storage_mmap},
	{"storage-lazy", gantry_plugin_storage_lazy},
	{"storage-recorder", gantry_plugin_storage_recorder},
	{"replication-async", gantry_plugin_replication_async},
	{"replication-follower-double", gantry_plugin_replication_follower_double},
	{"filter-tag", gantry_plugin_filter_tag},
	{"filter-sql92", gantry_plugin_filter_sql92},
	{"role-broker", gantry_plugin_role_broker},
	{0},
};
