/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that say when a log is on the disk, for every mode. */
#ifndef DOOR_FLUSH_CONF_H
#define DOOR_FLUSH_CONF_H

#include "door.h"

#include <gantry/conf.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DOOR_ASYNC_FLUSH, DOOR_SYNC_FLUSH };

struct door_flush_conf { /* the keys of DOOR_FLUSH_KEYS */
	int32_t type;
	int64_t interval_ms, timeout_ms;
};

extern const char *const door_flush_types[];

/* Rows of a key table, whose snapshot struct_ has a struct door_flush_conf named flush. */
#define DOOR_FLUSH_KEYS(struct_)                                                                   \
	GANTRY_KEY(ENUM, struct_, flush.type, "flushDiskType", .choices = door_flush_types,        \
		   .dflt = "ASYNC_FLUSH",                                                          \
		   .help = "whether a message is on the disk before it is acknowledged"),          \
		GANTRY_KEY(DURATION, struct_, flush.interval_ms, "flushIntervalCommitLog",         \
			   .unit = "ms", .dflt = "500", .min = 5, .max = 3600000,                  \
			   .help = "under ASYNC_FLUSH, how often the CommitLog is brought to the " \
				   "disk"),                                                        \
		GANTRY_KEY(DURATION, struct_, flush.timeout_ms, "syncFlushTimeout", .unit = "ms",  \
			   .dflt = "5000", .min = 10, .max = 3600000,                              \
			   .help = "under SYNC_FLUSH, the time after which a flush is answered "   \
				   "as late")

/* flush_wait_ms, flush_every_ms, and visible: durable where a flush is waited for. */
static inline void door_flush_rules(const struct door_flush_conf *conf, struct door_rules *rules)
{
	bool sync = conf->type == DOOR_SYNC_FLUSH;

	rules->visible = sync ? GANTRY_DURABLE : GANTRY_APPENDED;
	rules->flush_wait_ms = sync ? (uint64_t)conf->timeout_ms : 0;
	rules->flush_every_ms = (uint64_t)conf->interval_ms;
}

#ifdef __cplusplus
}
#endif
#endif
