/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of every engine over lib/segments: rows for the table of a plugin whose snapshot is
 * struct segments_conf. */
#ifndef SEGMENTS_KEYS_H
#define SEGMENTS_KEYS_H

#include <gantry/conf.h>
#include <gantry/storage.h>

#define SEGMENTS_KEYS(struct_)                                                                     \
	GANTRY_KEY(SIZE, struct_, prepared_bytes, "preparedBytes", .unit = "bytes", .dflt = "64m", \
		   .min = 1 << 20, .max = 1 << 30,                                                 \
		   .help = "most room of the CommitLog that is made ready ahead of the writer"),   \
		GANTRY_KEY(SIZE, struct_, hot_bytes, "hotBytes", .unit = "bytes", .dflt = "256m",  \
			   .min = 0, .max = INT64_C(1) << 40,                                      \
			   .help = "newest bytes of a log that are taken to be in memory without " \
				   "asking"),                                                      \
		GANTRY_KEY(SIZE, struct_, cold_read_bytes, "coldReadBytes", .unit = "bytes",       \
			   .dflt = "128k", .min = 4096, .max = 8 << 20,                            \
			   .help = "the least that is read from the disk when a reader meets a "   \
				   "cold page"),                                                   \
		GANTRY_KEY(SIZE, struct_, ahead_bytes, "readAheadBytes", .unit = "bytes",          \
			   .dflt = "64m", .min = 0, .max = INT64_C(1) << 34,                       \
			   .help = "the most that is read from the disk ahead of consumers that "  \
				   "catch up, all together; 0: nothing is"),                       \
		GANTRY_KEY(INT, struct_, small_descriptors, "smallFileDescriptors",                \
			   .unit = "files", .dflt = "1024", .min = 16, .max = 1 << 20,             \
			   .help = "ConsumeQueue files kept open at a time"),                      \
		GANTRY_KEY(INT, struct_, full_percent, "diskSpaceCleanForciblyRatio",              \
			   .unit = "percent", .dflt = "85", .min = INT32_MIN, .max = INT32_MAX,    \
			   .help = "a directory of several that is fuller gets no new file; 30 "   \
				   "to 85"),                                                       \
		GANTRY_KEY(BOOL, struct_, transient_pool, "transientStorePoolEnable",              \
			   .dflt = "false",                                                        \
			   .help = "on a master, messages go to memory first and to their file a " \
				   "little later: a killed process loses what was not committed"), \
		GANTRY_KEY(ENUM, struct_, flush_disk_type, "flushDiskType",                        \
			   .choices = segments_flush_types, .dflt = "ASYNC_FLUSH",                 \
			   .help = "SYNC_FLUSH: messages go to memory, and from there to their "   \
				   "file and the disk in one go"),                                 \
		GANTRY_KEY(ENUM, struct_, broker_role, "brokerRole", .choices = segments_roles,    \
			   .dflt = "ASYNC_MASTER", .help = "a slave has no transient pool"),       \
		GANTRY_KEY(                                                                        \
			BOOL, struct_, controller_mode, "enableControllerMode", .dflt = "false",   \
			.help = "a slave may become the master, so it has a transient pool too"),  \
		GANTRY_KEY(SIZE, struct_, staging_bytes, "stagingBytes", .unit = "bytes",          \
			   .dflt = "17m", .min = GANTRY_SLICE_MAX, .max = 512 << 20,               \
			   .help = "memory for messages on their way to the CommitLog's file"),    \
		GANTRY_KEY(DURATION, struct_, commit_interval_ms, "commitIntervalCommitLog",       \
			   .unit = "ms", .dflt = "200", .min = 1, .max = 3600000,                  \
			   .help = "how often messages in memory are written to the CommitLog's "  \
				   "file"),                                                        \
		GANTRY_KEY(INT, struct_, commit_least_pages, "commitCommitLogLeastPages",          \
			   .unit = "pages", .dflt = "4", .min = 0, .max = 1 << 20,                 \
			   .help = "fewer 4 KiB pages wait for the thorough interval"),            \
		GANTRY_KEY(DURATION, struct_, commit_thorough_ms,                                  \
			   "commitCommitLogThoroughInterval", .unit = "ms", .dflt = "200",         \
			   .min = 0, .max = 3600000,                                               \
			   .help = "after this time they are written, however few there are")

#endif
