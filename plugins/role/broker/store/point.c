/* SPDX-License-Identifier: Apache-2.0 */
/* The recovery point's bytes, and which run of a broker they are of. */
#include "store/point.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "message/bytes.h"
#include "message/record.h"

enum { MAGIC = 0x47505433 }; /* GPT3 */

static uint8_t *put_bytes(uint8_t *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return to + size;
}

void point_encode(uint8_t *to, const struct point *point)
{
	const struct point_run *run = &point->run;
	uint8_t *from = to;

	to = message_put32(to, MAGIC);
	to = put_bytes(to, run->boot, POINT_BOOT);
	to = message_put64(to, run->device);
	to = message_put64(to, run->device_turn);
	to = message_put64(to, run->abort_inode);
	to = message_put64(to, (uint64_t)run->abort_ns);
	to = put_bytes(to, point->checkpoint, MESSAGE_CHECKPOINT_USED);
	to = message_put64(to, point->written);
	to = message_put64(to, point->trimmed);
	to = message_put64(to, point->record_at);
	to = message_put64(to, (uint64_t)point->record_ms);
	to = message_put32(to, point->record_size);
	to = message_put32(to, (uint32_t)point->record_crc);
	to = message_put32(to, point->kinds);
	memset(to, 0, (size_t)(from + POINT_USED - 4 - to));
	message_put32(from + POINT_USED - 4,
		      (uint32_t)message_body_crc(from, (size_t)POINT_USED - 4));
}

static void read_fields(const uint8_t *from, struct point *ret)
{
	struct point_run *run = &ret->run;

	memcpy(run->boot, from, POINT_BOOT);
	from += POINT_BOOT;
	run->device = message_get64(from);
	run->device_turn = message_get64(from + 8);
	run->abort_inode = message_get64(from + 16);
	run->abort_ns = (int64_t)message_get64(from + 24);
	memcpy(ret->checkpoint, from + 32, MESSAGE_CHECKPOINT_USED);
	from += 32 + MESSAGE_CHECKPOINT_USED;
	ret->written = message_get64(from);
	ret->trimmed = message_get64(from + 8);
	ret->record_at = message_get64(from + 16);
	ret->record_ms = (int64_t)message_get64(from + 24);
	ret->record_size = message_get32(from + 32);
	ret->record_crc = (int32_t)message_get32(from + 36);
	ret->kinds = message_get32(from + 40);
}

int point_decode(const uint8_t *from, struct point *ret)
{
	uint32_t crc = message_get32(from + POINT_USED - 4);

	if (message_get32(from) != MAGIC ||
	    (uint32_t)message_body_crc(from, (size_t)POINT_USED - 4) != crc)
		return -EBADMSG;
	read_fields(from + 4, ret);
	return 0;
}

/* ---- runs */

/* Reads the beginning of a small file of the kernel's. */
static ssize_t read_line(const char *path, char *to, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, to, room);

	if (fd >= 0)
		close(fd);
	return got < 0 ? -errno : got;
}

/* The kernel numbers disks as they are attached: pages of one that was torn off in between are
 * lost, although the machine went on. Partitions have the number in the folder of their disk. */
static uint64_t turn_of(dev_t device)
{
	static const char *const places[] = {"diskseq", "../diskseq"};
	unsigned long long turn = 0;

	for (unsigned i = 0; i < 2 && !turn; i++) {
		char path[96], text[24] = {0};

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device),
			 minor(device), places[i]);
		if (read_line(path, text, sizeof(text) - 1) > 0 && sscanf(text, "%llu", &turn) != 1)
			turn = 0;
	}
	return turn;
}

int point_run_now(const char *root, struct point_run *ret)
{
	struct point_run run = {0};
	char path[4096];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/abort", root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &st))
		return -errno;
	if (read_line("/proc/sys/kernel/random/boot_id", run.boot, POINT_BOOT) != POINT_BOOT)
		return -ENOENT;
	run.device = st.st_dev;
	run.device_turn = turn_of(st.st_dev);
	run.abort_inode = st.st_ino;
	run.abort_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	*ret = run;
	return 0;
}

bool point_run_is(const struct point_run *one, const struct point_run *other)
{
	return memcmp(one->boot, other->boot, POINT_BOOT) == 0 && one->device == other->device &&
	       one->device_turn == other->device_turn && one->abort_inode == other->abort_inode &&
	       one->abort_ns == other->abort_ns;
}
