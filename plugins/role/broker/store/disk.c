/* SPDX-License-Identifier: Apache-2.0 */
#include "store/disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <gantry/bus.h>

#include "store/internal.h"

static const struct gantry_topic disk_topic = {
	.size = sizeof(disk_topic),
	.version = 1,
	.payload_size = sizeof(struct gantry_disk_event),
	.name = GANTRY_TOPIC_DISK,
};

int expiry_define_topic(struct gantry_inst *inst)
{
	int status = gantry_topic_define(inst, &disk_topic);

	return status == -EEXIST ? 0 : status; /* another broker of this process has */
}

int disk_used_percent(const char *path, void *user)
{
	struct statvfs fs;

	(void)user;
	if (statvfs(path, &fs))
		return -1;
	return expire_used_percent(fs.f_blocks, fs.f_bfree, fs.f_bavail);
}

int disk_open(struct store *store, struct disk *ret)
{
	*ret = (struct disk){.store = store, .log = -1, .queues = -1, .index = -1};
	return folders_read(store->broker->conf->storePathCommitLog, NULL, store->root,
			    &ret->folders);
}

void disk_close(struct disk *disk)
{
	folders_free(&disk->folders);
}

static void put(int32_t *field, int32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

/* A new store has no such folder before its first message: it will stand on the root's disk. */
static int in_root(const struct disk *disk, const char *name, const struct expiry_senses *senses)
{
	char path[4096];
	int size = snprintf(path, sizeof(path), "%s/%s", disk->store->root, name);

	if (size < 0 || size >= (int)sizeof(path))
		return -1;
	if (access(path, F_OK) && errno == ENOENT)
		return senses->used_percent(disk->store->root, senses->user);
	return senses->used_percent(path, senses->user);
}

void disk_measure(struct disk *disk, const struct expiry_senses *senses)
{
	int least = INT32_MAX;

	for (uint32_t i = 0; i < disk->folders.count; i++) {
		int used = senses->used_percent(disk->folders.at[i], senses->user);

		if (used < least)
			least = used;
	}
	put(&disk->log, least);
	put(&disk->queues, in_root(disk, "consumequeue", senses));
	put(&disk->index, in_root(disk, "index", senses));
}

static void publish(struct disk *disk, uint32_t level)
{
	struct gantry_disk_event event = {
		.level = level, .log_percent = disk->log, .queues_percent = disk->queues};

	snprintf(event.broker, sizeof(event.broker), "%s", disk->store->broker->name);
	gantry_publish(disk->store->inst, &disk_topic, &event, NULL);
}

static void tell(struct disk *disk, uint32_t before, uint32_t level)
{
	struct gantry_inst *inst = disk->store->inst;

	if (level == GANTRY_DISK_FULL)
		gantry_log(inst, ERROR,
			   "the disk is nearly full: sends are refused (log %d %%, queues %d %% "
			   "used)",
			   disk->log, disk->queues);
	else if (before == GANTRY_DISK_FULL)
		gantry_log(inst, NOTICE, "the disk has room again: sends are taken (log %d %%)",
			   disk->log);
	else if (level == GANTRY_DISK_FILLING)
		gantry_log(inst, WARNING,
			   "the disk is filling (log %d %%, queues %d %% used): old files are "
			   "removed at any hour",
			   disk->log, disk->queues);
	publish(disk, level);
}

void disk_judge(struct disk *disk)
{
	const struct broker_conf *conf = gantry_conf(disk->store->inst);
	const struct expire_limits limits = {
		.max_used = conf->diskMaxUsedSpaceRatio,
		.forced = conf->diskSpaceCleanForciblyRatio,
		.warning = conf->diskSpaceWarningLevelRatio,
	};
	uint32_t before = disk->level, level;

	disk->verdict = expire_judge(&limits, disk->log, disk->queues);
	level = disk->verdict.clean ? GANTRY_DISK_FILLING : GANTRY_DISK_OK;
	if (disk->verdict.full == EXPIRE_FULL_YES ||
	    (disk->verdict.full == EXPIRE_FULL_KEEP && before == GANTRY_DISK_FULL))
		level = GANTRY_DISK_FULL;
	__atomic_store_n(&disk->level, level, __ATOMIC_RELEASE);
	if (level != before)
		tell(disk, before, level);
}
