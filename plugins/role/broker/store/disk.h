/* SPDX-License-Identifier: Apache-2.0 */
/* How full the store's disks are, and whether that refuses sends. */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "store/expire.h"
#include "store/expire_rules.h"
#include "store/folders.h"

#ifdef __cplusplus
extern "C" {
#endif

struct disk {
	struct store *store;
	struct folders folders;        /* those of storePathCommitLog alone */
	int32_t log, queues, index;    /* atomic; percent, -1: not known; as seen last */
	uint32_t level;                /* atomic; enum gantry_disk_level */
	struct expire_verdict verdict; /* of the last look; who looks owns it */
};

int disk_open(struct store *store, struct disk *ret);
void disk_close(struct disk *disk);
/* Measures; no more than that. On a worker. */
void disk_measure(struct disk *disk, const struct expiry_senses *senses);
/* Judges what was measured, and tells the bus of a change. On a worker, one at a time. */
void disk_judge(struct disk *disk);
/* The senses of a broker that is no test. */
int disk_used_percent(const char *path, void *user);

#ifdef __cplusplus
}
#endif
#endif
