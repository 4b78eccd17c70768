/* SPDX-License-Identifier: Apache-2.0 */
/* Storage engines. An engine knows bytes, files and segments, never a message: all formats live
 * above it, so engines write the same bytes and open each other's files.
 *
 * Two objects. The log: segments of one size, named by the 20-digit decimal offset of their first
 * byte, appended at one end, expired at the other. The area: one file of a fixed size.
 *
 * A log has one writer at a time, which its user sees to (the write door's lock). window, advance,
 * append, read, copy_hot and sync never wait for the disk; the others may. A failed sync, and a
 * write that fails for any other reason than a full disk, fence the log for good: every later
 * write and sync answers -EIO, and reading goes on. A full disk is -ENOSPC until there is room.
 *
 * What read, fetch, copy and copy_hot have shown outlives a kill of the process, and so does all of
 * every advance that it is part of; what nobody has read may not, before it is durable. */
#ifndef GANTRY_STORAGE_H
#define GANTRY_STORAGE_H

#include <gantry/base.h>
#include <gantry/op.h>

GANTRY_BEGIN

/* gantry_service.caps of a storage service */
enum {
	GANTRY_STORAGE_CUT = 1,    /* cut and reset */
	GANTRY_STORAGE_AREA = 2,   /* areas */
	GANTRY_STORAGE_MAPPED = 4, /* hot slices point into the page cache: no copy */
};

/* Bytes that one read shows at most, and so the longest record: what the largest frame of RocketMQ,
 * 16 MiB, can bring, and what a broker adds to it. */
enum { GANTRY_SLICE_MAX = 17 * 1024 * 1024 };

/* gantry_shape.flags */
enum {
	GANTRY_LOG_SMALL = 1, /* one of thousands: one directory, no mapping, no segment prepared
				 ahead, file descriptors shared; append and copy only, no window
				 and read (-ENOTSUP). Opening it lists the directory once */
	GANTRY_LOG_READ_ONLY = 2,
	GANTRY_LOG_EMPTY = 4, /* the directory is known to hold no segment, or not to exist: it is
				 not even listed. Made when first written to */
};
/* gantry_shape.flags as well: so many directories, the last ones, get no new segment; 0 to 255 */
#define GANTRY_LOG_KEPT(count) ((uint32_t)(count) << 8)
#define GANTRY_LOG_KEPT_OF(flags) ((flags) >> 8 & 0xff)

struct gantry_shape {
	const char *const *directories; /* borrowed; new segments are spread over them */
	uint32_t directory_count;
	uint32_t flags;
	uint64_t segment_bytes; /* of segments made from now on; files that exist keep theirs,
				   which must agree with each other */
	uint64_t start;         /* where an empty log begins; rounded down to a segment */
	uint64_t prepare_bytes; /* keep this much ready ahead of the writer; 0: the engine's own */
};

/* first <= durable <= end */
struct gantry_bounds {
	uint64_t first;   /* the oldest byte's offset; after open, its segment's start */
	uint64_t durable; /* everything before it survives a power cut */
	uint64_t end;     /* the next byte's offset */
	uint64_t segment_bytes;
};

/* room for the writer */
struct gantry_window {
	uint8_t *to;
	uint64_t at;     /* the log offset that to stands for */
	uint64_t left;   /* bytes to the segment's end */
	uint64_t usable; /* bytes that may be written now; usable <= left */
};

/* Bytes of a log, held by a lease until released. Plain value: copy it to hand the lease on. */
struct gantry_slice {
	const uint8_t *bytes;
	size_t size;
	uint64_t offset;
	void *lease;
	void (*release)(struct gantry_slice *slice); /* any thread; NULL: nothing to release */
};

static inline void gantry_slice_release(struct gantry_slice *slice)
{
	if (slice->release)
		slice->release(slice);
	slice->release = NULL;
}

struct gantry_log; /* the engine's */

struct gantry_log_ops {
	uint32_t size;
	uint32_t reserved;
	/* Opens what is there; end is then the end of the last file, and the user, who knows the
	 * records, cuts it to where they end. A last file of length 0 is removed; files with a gap
	 * between them or of unequal size are refused with -EUCLEAN and a log line. shape and what
	 * it points to may go when this returns. Blocking: control thread or worker. */
	int (*open)(struct gantry_inst *, const struct gantry_shape *, struct gantry_log **ret);
	/* Syncs, removes files that were prepared and never written to, and closes. Leases and ops
	 * must be gone. NULL is fine. Blocking. */
	void (*close)(struct gantry_log *);
	void (*bounds)(const struct gantry_log *, struct gantry_bounds *ret); /* any thread */

	/* Writer. At least need usable bytes, which read as zeros, or as many as the segment has
	 * left if fewer; more than an engine can have ready is -EMSGSIZE, but never
	 * GANTRY_SLICE_MAX or less. -EAGAIN: not prepared yet, try again; -ENOSPC, -EIO. Bytes past
	 * the end are the writer's until advance, and readers never see them; the next window need
	 * not show them again. */
	int (*window)(struct gantry_log *, uint64_t need, struct gantry_window *ret);
	/* Publishes used bytes. used == left moves on to the next segment, and is allowed when less
	 * was usable: what was not written reads as zeros. */
	void (*advance)(struct gantry_log *, uint64_t used);
	/* Writer, GANTRY_LOG_SMALL: copies to the end, over segments' ends where need be; all or
	 * nothing. */
	int (*append)(struct gantry_log *, const void *from, uint64_t bytes);

	/* From at: max bytes (GANTRY_SLICE_MAX at most), or as many as there are to the end of the
	 * segment or of the log, or to bytes that are known to be unreadable. 0: hot, in ret. -EIO:
	 * those at at are. Positive: cold; op finishes when the caller may read again, with -EIO if
	 * this segment cannot be read (others can). -ERANGE: at is not in [first, end). op NULL:
	 * -EAGAIN instead of pending. What is shown may fail after all: see guard.h. Any thread. */
	int (*read)(struct gantry_log *, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op);
	/* Reads into the caller's memory, over segments' ends; returns bytes read, short only at
	 * the log's end, or a negative errno. May block on a cold file. Any thread. */
	int64_t (*copy)(struct gantry_log *, uint64_t at, void *to, uint64_t bytes);

	/* Makes everything before upto durable; asks that arrive during one fdatasync share the
	 * next. 0: it was already. Positive: op->result is the new durable mark, which may be
	 * beyond upto. -ERANGE: upto is behind the end. Any thread. */
	int (*sync)(struct gantry_log *, uint64_t upto, struct gantry_op *op);

	/* Writer, blocking. Empties the log; the next byte is at (not rounded: the bytes of its
	 * segment before it are zeros). Who needs at after a restart keeps it himself. */
	int (*reset)(struct gantry_log *, uint64_t at);
	/* Writer, blocking. Drops [at, end) for good, first <= at <= end: later segments are
	 * removed and the rest of at's own segment reads as zeros; nothing of it comes back after a
	 * crash. Waits for the leases of what it drops. What stays is durable when it returns, also
	 * if at is the end; that of a small log with its next sync. */
	int (*cut)(struct gantry_log *, uint64_t at);
	/* Removes whole segments that end at or before before, oldest first, never the last; one
	 * that is leased goes when its lease does. Returns how many. Blocking. */
	int (*expire)(struct gantry_log *, uint64_t before);
	/* When the segment that holds at was last written, ms since the epoch; < 0 -ERANGE. */
	int64_t (*modified_ms)(struct gantry_log *, uint64_t at);
	/* As copy, but never waits for the disk: -EAGAIN if it would have to. Any thread. */
	int64_t (*copy_hot)(struct gantry_log *, uint64_t at, void *to, uint64_t bytes);
	/* As read, but waits for the disk in the caller's thread, and is never pending: a worker
	 * that waited for an op of read would wait for another worker, and all may wait so.
	 * Blocking: control thread or worker. Since 0.5. */
	int (*fetch)(struct gantry_log *, uint64_t at, uint64_t max, struct gantry_slice *ret);
};

struct gantry_area; /* the engine's */

struct gantry_area_ops {
	uint32_t size;
	uint32_t reserved;
	/* Opens path, or makes it, zero-filled, of exactly bytes. -EUCLEAN: it has another size.
	 * ret_made: whether it is new. Blocking. */
	int (*open)(struct gantry_inst *, const char *path, uint64_t bytes,
		    struct gantry_area **ret, int *ret_made);
	void (*close)(struct gantry_area *);                                      /* NULL is fine */
	int (*read)(struct gantry_area *, uint64_t at, void *to, uint64_t bytes); /* may block */
	int (*write)(struct gantry_area *, uint64_t at, const void *from, uint64_t bytes); /* never
		torn across 512 bytes aligned */
	int (*sync)(struct gantry_area *, struct gantry_op *op); /* always pending */
};

/* the vtable of a GANTRY_STORAGE service */
struct gantry_storage_ops {
	uint32_t size;
	uint32_t reserved;
	const struct gantry_log_ops *log;
	const struct gantry_area_ops *area;
};

GANTRY_END
#endif
