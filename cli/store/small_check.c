/* SPDX-License-Identifier: Apache-2.0 */
/* The small files beside the log: checkpoint, abort, lock. */
#include <errno.h>
#include <fcntl.h>
#include <message/bytes.h>
#include <message/checkpoint.h>
#include <string.h>
#include <unistd.h>

#include "store.h"

/* Returns the bytes, or a negative errno. */
static int64_t read_small(const char *path, uint8_t *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int64_t got;
	if (fd < 0)
		return -errno;
	got = read_at(fd, to, size, 0);
	close(fd);
	return got;
}

int64_t checkpoint_confirm(const struct store_places *places)
{
	g_autofree char *path = g_build_filename(places->root, "checkpoint", NULL);
	uint8_t bytes[MESSAGE_CHECKPOINT_USED];
	struct message_checkpoint point;
	if (read_small(path, bytes, sizeof(bytes)) < (int64_t)sizeof(bytes))
		return -1;
	message_checkpoint_read(bytes, &point);
	return point.confirm;
}

/* ---- checkpoint */

struct point_check {
	const char *path;
	const struct log_end *log;
	struct report *report;
};

/* Times are those of messages, so none is newer than the newest. */
static void check_time(const struct point_check *c, uint64_t offset, const char *name, int64_t ms)
{
	if (ms < 0)
		report_add(c->report, FINDING_DAMAGE, c->path, offset, "%s is %lld", name,
			   (long long)ms);
	else if (c->log->records && ms > c->log->last_ms)
		report_add(c->report, FINDING_DAMAGE, c->path, offset,
			   "%s is %lld, but the newest message is of %lld", name, (long long)ms,
			   (long long)c->log->last_ms);
	else if (!c->log->records && ms)
		report_note(c->report, c->path, "%s is %lld, but the log has no message", name,
			    (long long)ms);
}

/* Those of log and queues are set together with messages; index_ms may be of any age. */
static void check_age(const struct point_check *c, uint64_t offset, const char *name, int64_t ms)
{
	if (ms > 0 && c->log->records && ms < c->log->first_ms)
		report_add(c->report, FINDING_DAMAGE, c->path, offset,
			   "%s is %lld, but the oldest message is of %lld", name, (long long)ms,
			   (long long)c->log->first_ms);
}

static void check_offsets(const struct point_check *c, const struct message_checkpoint *point)
{
	if (point->master_flushed < 0)
		report_add(c->report, FINDING_DAMAGE, c->path, 24, "masterFlushedOffset is %lld",
			   (long long)point->master_flushed);
	if (point->confirm < 0 || (uint64_t)point->confirm > c->log->end)
		report_add(c->report, FINDING_DAMAGE, c->path, 32,
			   "confirmPhyOffset is %lld, but the log ends at %llu",
			   (long long)point->confirm, (unsigned long long)c->log->end);
	else if ((uint64_t)point->confirm >= c->log->first && !c->log->confirm_met &&
		 (uint64_t)point->confirm != c->log->end)
		report_add(c->report, FINDING_DAMAGE, c->path, 32,
			   "confirmPhyOffset is %lld, where no record begins",
			   (long long)point->confirm);
}

/* Queues are written before it, so it is in the log; not always where a record begins. */
static void check_logics(const struct point_check *c, int64_t at)
{
	if (at < 0 || (uint64_t)at > c->log->end)
		report_add(c->report, FINDING_DAMAGE, c->path, MESSAGE_CHECKPOINT_LOGICS_AT,
			   "logicsPhysicalOffset is %lld, but the log ends at %llu", (long long)at,
			   (unsigned long long)c->log->end);
}

static void check_zeros(const struct point_check *c, const uint8_t *bytes)
{
	for (uint64_t i = MESSAGE_CHECKPOINT_USED; i < MESSAGE_CHECKPOINT_FILE; i++) {
		if (bytes[i]) {
			report_add(c->report, FINDING_DAMAGE, c->path, i,
				   "the byte is %u, everything from %d on is 0", bytes[i],
				   MESSAGE_CHECKPOINT_USED);
			return;
		}
	}
}

static void check_point(const struct point_check *c, const uint8_t *bytes)
{
	struct message_checkpoint point;
	message_checkpoint_read(bytes, &point);
	check_time(c, 0, "physicMsgTimestamp", point.physic_ms);
	check_age(c, 0, "physicMsgTimestamp", point.physic_ms);
	check_time(c, 8, "logicsMsgTimestamp", point.logics_ms);
	check_age(c, 8, "logicsMsgTimestamp", point.logics_ms);
	check_time(c, 16, "indexMsgTimestamp", point.index_ms);
	check_offsets(c, &point);
	check_logics(c, point.logics_at);
	check_zeros(c, bytes);
}

static void check_checkpoint(const struct store_places *places, const struct log_end *log,
			     struct report *report)
{
	g_autofree char *path = g_build_filename(places->root, "checkpoint", NULL);
	struct point_check c = {path, log, report};
	uint8_t bytes[MESSAGE_CHECKPOINT_FILE + 1];
	int64_t got = read_small(path, bytes, sizeof(bytes));
	if (got == -ENOENT)
		report_note(report, path,
			    "it is missing: after an unclean stop the whole log is "
			    "read again");
	else if (got < 0)
		report_unread(report, path, (int)got);
	else if (got != MESSAGE_CHECKPOINT_FILE)
		report_add(report, FINDING_DAMAGE, path, (uint64_t)got,
			   "the file has %s%lld bytes, %d are due",
			   got > MESSAGE_CHECKPOINT_FILE ? "at least " : "", (long long)got,
			   MESSAGE_CHECKPOINT_FILE);
	else if (!places->running)
		check_point(&c, bytes);
}

/* ---- abort and lock */

static void check_abort(const struct store_places *places, struct report *report)
{
	g_autofree char *path = g_build_filename(places->root, "abort", NULL);
	uint8_t bytes[64];
	int64_t got = read_small(path, bytes, sizeof(bytes));
	if (got == -ENOENT)
		return;
	if (got < 0) {
		report_unread(report, path, (int)got);
		return;
	}
	for (int64_t i = 0; i < got; i++) {
		if (bytes[i] < '0' || bytes[i] > '9') {
			report_add(report, FINDING_DAMAGE, path, (uint64_t)i,
				   "the byte is %u, a process id is due", bytes[i]);
			break;
		}
	}
	if (!places->running)
		report_note(report, path,
			    "the last stop was not clean: the next start checks what "
			    "the checkpoint does not cover");
}

static void check_lock(const struct store_places *places, struct report *report)
{
	g_autofree char *path = g_build_filename(places->root, "lock", NULL);
	uint8_t bytes[8];
	int64_t got = read_small(path, bytes, sizeof(bytes));
	if (got < 0 && got != -ENOENT)
		report_unread(report, path, (int)got);
	else if (got > 0 && (got != 4 || memcmp(bytes, "lock", 4) != 0))
		report_add(report, FINDING_DAMAGE, path, 0, "it does not say lock");
	if (places->running)
		report_note(report, path,
			    "a broker works in the store: what it wrote meanwhile is "
			    "not looked at");
}

void small_files_check(const struct store_places *places, const struct log_end *log,
		       struct report *report)
{
	check_checkpoint(places, log, report);
	check_abort(places, report);
	check_lock(places, report);
}
