/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of every engine over lib/segments: rows for the table of a plugin whose snapshot is
 * struct segments_conf. */
#ifndef SEGMENTS_KEYS_H
#define SEGMENTS_KEYS_H

#include <gantry/conf.h>

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
		GANTRY_KEY(INT, struct_, small_descriptors, "smallFileDescriptors",                \
			   .unit = "files", .dflt = "1024", .min = 16, .max = 1 << 20,             \
			   .help = "ConsumeQueue files kept open at a time"),                      \
		GANTRY_KEY(INT, struct_, full_percent, "diskSpaceCleanForciblyRatio",              \
			   .unit = "percent", .dflt = "85", .min = INT32_MIN, .max = INT32_MAX,    \
			   .help = "a directory of several that is fuller gets no new file; 30 "   \
				   "to 85")

#endif
