/* SPDX-License-Identifier: Apache-2.0 */
/* Several directories: where a new segment goes. As RocketMQ's MultiPathMappedFileQueue, store
 * 5.5.0. */
#include "big.h"

#include <sys/statvfs.h>

/* Nearly full, as RocketMQ measures it, or without room for the next step. */
static bool is_full(const struct big_log *log, uint32_t directory)
{
	struct statvfs fs;
	uint64_t used;

	if (fstatvfs(log->directory[directory].fd, &fs))
		return false; /* what is wrong shows when the file is made */
	if ((uint64_t)fs.f_bavail * fs.f_frsize < BIG_STEP)
		return true;
	used = fs.f_blocks - fs.f_bfree;
	return used * 100 > log->full_percent * (used + fs.f_bavail);
}

uint32_t big_choose_directory(struct big_log *log, uint64_t start)
{
	uint32_t roomy[256], count = 0, all = log->new_count < 256 ? log->new_count : 256;
	uint64_t number = start / log->segment_bytes;

	for (uint32_t i = 0; i < all && all > 1; ++i)
		if (!is_full(log, i))
			roomy[count++] = i;
	return count ? roomy[number % count] : (uint32_t)(number % all);
}
