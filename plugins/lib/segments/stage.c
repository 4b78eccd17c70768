/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a staged log, and how the writer fills it. */
#include "stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "big.h"

/* Twice in a row. */
static int map_ring(uint64_t bytes, uint8_t **ret)
{
	int fd = memfd_create("gantry-stage", MFD_CLOEXEC), rc = 0;
	uint8_t *ring;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	ring = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ring == MAP_FAILED)
		rc = -errno;
	for (int i = 0; i < 2 && rc == 0; ++i) {
		void *half = mmap(ring + i * bytes, bytes, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED, fd, 0);
		if (half == MAP_FAILED) {
			rc = -errno;
			munmap(ring, 2 * bytes);
		}
	}
	close(fd);
	if (rc == 0)
		*ret = ring;
	return rc;
}

int stage_new(struct big_log *log, uint64_t bytes, struct stage **ret)
{
	const struct segments_flusher *flusher = segments_engine(log->base.inst)->flusher;
	struct stage *stage = calloc(1, sizeof(*stage));
	int rc = stage ? 0 : -ENOMEM;

	bytes = files_page_up(bytes);
	if (rc == 0)
		rc = map_ring(bytes, &stage->ring);
	if (rc < 0) {
		free(stage);
		return rc;
	}
	stage->bytes = bytes;
	pthread_mutex_init(&stage->lock, NULL);
	/* Without it the files are written with plain system calls. */
	if (flusher)
		flusher->open(log->base.inst, stage->ring, 2 * bytes, &stage->flusher);
	*ret = stage;
	return 0;
}

void stage_free(struct big_log *log, struct stage *stage)
{
	if (!stage)
		return;
	if (stage->flusher)
		segments_engine(log->base.inst)->flusher->close(stage->flusher);
	munmap(stage->ring, 2 * stage->bytes);
	pthread_mutex_destroy(&stage->lock);
	free(stage);
}

static bool skips_full(struct stage *stage)
{
	return atomic_load_explicit(&stage->skips_made, memory_order_relaxed) -
		       atomic_load_explicit(&stage->skips_taken, memory_order_acquire) ==
	       STAGE_SKIPS;
}

static int stage_for_writer(struct big_log *log, struct stage **ret)
{
	struct stage *stage = atomic_load_explicit(&log->stage, memory_order_relaxed);

	if (!stage) {
		int rc = stage_new(log, log->stage_bytes, &stage);

		if (rc < 0)
			return rc;
		atomic_store_explicit(&log->stage, stage, memory_order_release);
	}
	*ret = stage;
	return 0;
}

int stage_room(struct big_log *log, uint64_t end, uint64_t need, uint64_t usable,
	       struct gantry_window *ret)
{
	struct stage *stage = NULL;
	int rc = stage_for_writer(log, &stage);

	if (rc < 0)
		return rc;
	if (need > stage->bytes)
		return -EMSGSIZE;
	/* acquire: what stood here has been written and is zero again */
	uint64_t limit = atomic_load_explicit(&log->written, memory_order_acquire) + stage->bytes;
	if (end + need > limit || skips_full(stage)) {
		rc = stage_commit(log, end);
		if (rc < 0)
			return rc;
		limit = end + stage->bytes;
	}
	ret->usable = usable < limit - end ? usable : limit - end;
	ret->to = stage->ring + end % stage->bytes;
	stage->granted = end + ret->usable;
	return 0;
}

void stage_advance(struct big_log *log, uint64_t end, uint64_t used)
{
	struct stage *stage = atomic_load_explicit(&log->stage, memory_order_relaxed);

	if (end + used > stage->granted) {
		uint32_t made = atomic_load_explicit(&stage->skips_made, memory_order_relaxed);

		stage->skip[made % STAGE_SKIPS] =
			(struct stage_skip){.from = stage->granted, .to = end + used};
		atomic_store_explicit(&stage->skips_made, made + 1, memory_order_release);
	}
	atomic_store_explicit(&log->end, end + used, memory_order_release);
	if (end + used - atomic_load_explicit(&log->written, memory_order_relaxed) >
	    stage->bytes / 4)
		stage_commit_behind(log);
}
