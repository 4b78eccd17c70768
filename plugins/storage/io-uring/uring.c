/* SPDX-License-Identifier: Apache-2.0 */
#include "uring.h"

#include "segments/files.h"

#include <errno.h>
#include <gantry/log.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES = 8, TAG_WRITE = 1, TAG_SYNC = 2 };

struct uring { /* one call at a time: the log's sync_lock */
	struct io_uring ring;
	bool fixed_buffer, fixed_file;
	uint64_t file; /* which one is registered; 0: none */
};

struct round { /* of completions */
	int write, sync;
	bool wrote, synced;
};

int uring_probe(void)
{
	struct io_uring ring;
	int rc = io_uring_queue_init(ENTRIES, &ring, 0);

	if (rc < 0)
		return rc;
	struct io_uring_probe *probe = io_uring_get_probe_ring(&ring);
	if (!probe || !io_uring_opcode_supported(probe, IORING_OP_WRITE))
		rc = -ENOSYS;
	io_uring_free_probe(probe);
	io_uring_queue_exit(&ring);
	return rc;
}

static int uring_open(struct gantry_inst *inst, uint8_t *bytes, uint64_t size, void **ret)
{
	struct uring *uring = calloc(1, sizeof(*uring));
	struct iovec all = {.iov_base = bytes, .iov_len = size};
	int none = -1, rc = uring ? 0 : -ENOMEM;

	if (rc == 0)
		rc = io_uring_queue_init(ENTRIES, &uring->ring, 0);
	if (rc < 0) {
		gantry_log(inst, WARNING, "no io_uring for this log: %s; pwrite and fdatasync do",
			   strerror(-rc));
		free(uring);
		return rc;
	}
	/* Both save work and change nothing else: RLIMIT_MEMLOCK may not allow the first. */
	rc = io_uring_register_buffers(&uring->ring, &all, 1);
	uring->fixed_buffer = rc == 0;
	if (rc < 0)
		gantry_log(inst, INFO, "%llu bytes of buffers cannot be registered: %s",
			   (unsigned long long)size, strerror(-rc));
	uring->fixed_file = io_uring_register_files(&uring->ring, &none, 1) == 0;
	*ret = uring;
	return 0;
}

static void uring_close(void *flusher)
{
	struct uring *uring = flusher;

	io_uring_queue_exit(&uring->ring);
	free(uring);
}

/* The file is registered when it is met for the first time. */
static void choose_file(struct uring *uring, const struct segments_flush *flush)
{
	int fd = flush->fd;

	if (!uring->fixed_file || uring->file == flush->file)
		return;
	uring->fixed_file = io_uring_register_files_update(&uring->ring, 0, &fd, 1) == 1;
	uring->file = flush->file;
}

static struct io_uring_sqe *next_sqe(struct uring *uring, uint64_t tag)
{
	/* Two of eight at most are in use: there is always one. */
	struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

	memset(sqe, 0, sizeof(*sqe));
	io_uring_sqe_set_data64(sqe, tag);
	return sqe;
}

static void add_write(struct uring *uring, const struct segments_flush *flush)
{
	struct io_uring_sqe *sqe = next_sqe(uring, TAG_WRITE);
	int fd = uring->fixed_file ? 0 : flush->fd;

	if (uring->fixed_buffer)
		io_uring_prep_write_fixed(sqe, fd, flush->from, (unsigned)flush->bytes, flush->at,
					  0);
	else
		io_uring_prep_write(sqe, fd, flush->from, (unsigned)flush->bytes, flush->at);
	io_uring_sqe_set_data64(sqe, TAG_WRITE);
	io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK | (uring->fixed_file ? IOSQE_FIXED_FILE : 0u));
}

static void add_sync(struct uring *uring, const struct segments_flush *flush)
{
	struct io_uring_sqe *sqe = next_sqe(uring, TAG_SYNC);

	io_uring_prep_fsync(sqe, uring->fixed_file ? 0 : flush->fd, IORING_FSYNC_DATASYNC);
	io_uring_sqe_set_data64(sqe, TAG_SYNC);
	io_uring_sqe_set_flags(sqe, uring->fixed_file ? IOSQE_FIXED_FILE : 0u);
}

static int submit(struct uring *uring)
{
	int rc;

	do
		rc = io_uring_submit(&uring->ring);
	while (rc == -EINTR || rc == -EAGAIN);
	return rc < 0 ? rc : 0;
}

static int wait_one(struct uring *uring, struct round *round)
{
	struct io_uring_cqe *cqe;
	int rc;

	do
		rc = io_uring_wait_cqe(&uring->ring, &cqe);
	while (rc == -EINTR);
	if (rc < 0)
		return rc;
	if (io_uring_cqe_get_data64(cqe) == TAG_WRITE) {
		round->write = cqe->res;
		round->wrote = true;
	} else {
		round->sync = cqe->res;
		round->synced = true;
	}
	io_uring_cqe_seen(&uring->ring, cqe);
	return 0;
}

static int sync_alone(struct uring *uring, const struct segments_flush *flush)
{
	struct round round = {0};
	int rc;

	add_sync(uring, flush);
	rc = submit(uring);
	while (rc == 0 && !round.synced)
		rc = wait_one(uring, &round);
	return rc < 0 ? rc : round.sync;
}

/* A write that fell short, or that the kernel wants to be tried again, has broken the chain. */
static int write_rest(const struct segments_flush *flush, int written)
{
	uint64_t done = written > 0 ? (uint64_t)written : 0;

	if (written < 0 && written != -EINTR && written != -EAGAIN)
		return written;
	return files_write(flush->fd, flush->at + done, flush->from + done, flush->bytes - done);
}

static int write_and_sync(struct uring *uring, struct segments_flush *flush)
{
	struct round round = {0};
	int rc;

	add_write(uring, flush);
	add_sync(uring, flush);
	rc = submit(uring);
	while (rc == 0 && !round.wrote)
		rc = wait_one(uring, &round);
	if (rc < 0)
		return rc;
	bool whole = round.write >= 0 && (uint64_t)round.write == flush->bytes;
	if (whole)
		flush->written(flush);
	while (rc == 0 && !round.synced)
		rc = wait_one(uring, &round);
	if (rc < 0 || whole)
		return rc < 0 ? rc : round.sync;
	rc = write_rest(flush, round.write);
	if (rc < 0)
		return rc;
	flush->written(flush);
	return sync_alone(uring, flush);
}

static int uring_flush(void *flusher, struct segments_flush *flush)
{
	struct uring *uring = flusher;

	choose_file(uring, flush);
	if (flush->bytes) { /* one buffer, so what follows is the ring's */
		flush->bytes += flush->pad;
		return write_and_sync(uring, flush);
	}
	flush->written(flush);
	return sync_alone(uring, flush);
}

const struct segments_flusher uring_flusher = {
	.open = uring_open,
	.close = uring_close,
	.flush = uring_flush,
};
