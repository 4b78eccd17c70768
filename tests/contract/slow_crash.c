/* SPDX-License-Identifier: Apache-2.0 */
/* What a disk may hold after a crash: everything that was synced, and of the rest whatever the dice
 * say, 512 bytes at a time. Names follow in order, as on a file system with a journal. */
#include "slow_impl.h"

#include "../../plugins/lib/segments/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512 };

struct disk {
	const char *directory;
	uint64_t segment_bytes;
	uint64_t first, file_end; /* of the files there are; equal: none */
	uint64_t dice;
};

static bool throw_dice(struct disk *disk)
{
	disk->dice = disk->dice * 6364136223846793005u + 1442695040888963407u;
	return disk->dice >> 63;
}

static void path_of(const struct disk *disk, uint64_t start, char to[PATH_MAX])
{
	char name[FILES_NAME];

	files_name(name, start);
	snprintf(to, PATH_MAX, "%s/%s", disk->directory, name);
}

static int open_file(struct disk *disk, uint64_t start)
{
	char path[PATH_MAX];

	path_of(disk, start, path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0 && ftruncate(fd, (off_t)disk->segment_bytes)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The file that holds at, and those before it. */
static int reach(struct disk *disk, uint64_t at)
{
	uint64_t start = at - at % disk->segment_bytes;

	if (disk->first == disk->file_end)
		disk->first = disk->file_end = start;
	for (; disk->file_end <= start; disk->file_end += disk->segment_bytes) {
		int fd = open_file(disk, disk->file_end);

		if (fd < 0)
			return -errno;
		close(fd);
	}
	return open_file(disk, start);
}

/* How far the log was durable when the crash came. */
static uint64_t durable_at(const struct slow *slow, size_t event)
{
	uint64_t durable = 0;

	for (size_t i = 0; i < event; ++i) {
		const struct slow_event *e = &slow->event[i];

		if (e->act == SLOW_SYNC || e->act == SLOW_CUT || e->act == SLOW_RESET)
			durable = e->at;
	}
	return durable;
}

/* Whether a later cut or reset took this back: then it is as if it had been synced. */
static bool settled(const struct slow *slow, size_t from, size_t event)
{
	for (size_t i = from + 1; i < event; ++i) {
		if (slow->event[i].act == SLOW_CUT || slow->event[i].act == SLOW_RESET)
			return true;
	}
	return false;
}

static int write_event(struct disk *disk, const struct slow_event *event, uint64_t durable)
{
	uint64_t end = event->at + event->bytes;

	for (uint64_t at = event->at; at < end;) {
		uint64_t next = at - at % SECTOR + SECTOR, start = at - at % disk->segment_bytes;

		next = next < end ? next : end;
		if (at < durable && next > durable)
			next = durable;
		if (next <= durable || throw_dice(disk)) {
			int fd = reach(disk, at);

			if (fd < 0 || files_write(fd, at - start, event->data + (at - event->at),
						  next - at) < 0)
				return -EIO;
			close(fd);
		}
		at = next;
	}
	return 0;
}

static void remove_files(struct disk *disk, uint64_t from)
{
	char path[PATH_MAX];

	while (disk->file_end > disk->first && disk->file_end - disk->segment_bytes >= from) {
		disk->file_end -= disk->segment_bytes;
		path_of(disk, disk->file_end, path);
		unlink(path);
	}
}

static int cut_event(struct disk *disk, uint64_t at)
{
	remove_files(disk, at);
	if (at >= disk->file_end || at < disk->first)
		return 0;
	int fd = open_file(disk, at - at % disk->segment_bytes);
	int rc = fd < 0 || ftruncate(fd, (off_t)(at % disk->segment_bytes)) ||
				 ftruncate(fd, (off_t)disk->segment_bytes)
			 ? -EIO
			 : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int replay(struct disk *disk, const struct slow *slow, size_t event)
{
	uint64_t durable = durable_at(slow, event);
	int rc = 0;

	for (size_t i = 0; i < event && rc == 0; ++i) {
		const struct slow_event *e = &slow->event[i];

		if (e->act == SLOW_WRITE)
			rc = write_event(disk, e, settled(slow, i, event) ? UINT64_MAX : durable);
		else if (e->act == SLOW_CUT)
			rc = cut_event(disk, e->at);
		else if (e->act == SLOW_RESET)
			remove_files(disk, 0);
	}
	return rc;
}

int slow_crash(struct gantry_inst *inst, size_t event, uint32_t seed, const char *directory,
	       uint64_t segment_bytes)
{
	struct slow *slow = slow_of(inst);
	struct disk disk = {directory, segment_bytes, 0, 0, seed * 2654435761u + 1};
	int rc = files_make_directory(directory);

	pthread_mutex_lock(&slow->lock);
	if (rc == 0)
		rc = replay(&disk, slow, event < slow->events ? event : slow->events);
	pthread_mutex_unlock(&slow->lock);
	return rc;
}
