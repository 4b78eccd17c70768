/* SPDX-License-Identifier: Apache-2.0 */
/* Storage engines. An engine knows bytes, files and segments, never a message: all formats live
 * above it, so engines write the same bytes and open each other's files.
 *
 * Two objects. The log: segments of one size, named by the 20-digit decimal offset of their first
 * byte, appended at one end, expired at the other. The area: one file of a fixed size.
 *
 * A log has one writer at a time, which its user sees to (the write door's lock). window, advance,
 * append, read of what is hot, and sync never block; reset, cut, expire, open may. What fails with
 * EIO on writing or syncing fences the log: every later write and sync answers -EIO. */
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

/* gantry_shape.flags */
enum {
	GANTRY_LOG_SMALL = 1, /* one of thousands: no mapping, no segment prepared ahead, file
				 descriptors shared; append and copy only, no window and read */
	GANTRY_LOG_READ_ONLY = 2,
};

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
	uint64_t first;   /* the oldest byte's offset */
	uint64_t durable; /* everything before it survives a power cut */
	uint64_t end;     /* the next byte's offset */
	uint64_t segment_bytes;
};

/* room for the writer */
struct gantry_window {
	uint8_t *to;
	uint64_t at;     /* the log offset that to stands for */
	uint64_t left;   /* bytes to the segment's end; the window itself may be cut shorter, see
			    usable */
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
	/* Opens what is there; end and durable are then the end of the last file, and the user, who
	 * knows the records, cuts it to where they end. A last file of length 0 is removed; files
	 * with a gap between them or of unequal size are refused with -EUCLEAN and a log line.
	 * Blocking: control thread or worker. */
	int (*open)(struct gantry_inst *, const struct gantry_shape *, struct gantry_log **ret);
	/* Syncs and closes; waits for nothing: leases and ops must be gone. NULL is fine. Blocking.
	 */
	void (*close)(struct gantry_log *);
	void (*bounds)(const struct gantry_log *, struct gantry_bounds *ret); /* any thread */

	/* Writer. At least need usable bytes, or as many as the segment has left if fewer.
	 * -EAGAIN: not prepared yet, try again; -ENOSPC, -EIO. Bytes past the end are the writer's
	 * until advance; readers never see them. */
	int (*window)(struct gantry_log *, uint64_t need, struct gantry_window *ret);
	/* Publishes used bytes. used == left moves on to the next segment. */
	void (*advance)(struct gantry_log *, uint64_t used);
	/* Writer, GANTRY_LOG_SMALL: copies to the end, over segments' ends where need be. */
	int (*append)(struct gantry_log *, const void *from, uint64_t bytes);

	/* Up to max bytes from at to the end of its segment, or of the log. 0: hot, in ret.
	 * Positive: cold; op finishes when a read of at is hot, and the caller reads again.
	 * -ERANGE: at is not in [first, end). -EIO: this segment cannot be read; others can.
	 * op NULL: -EAGAIN instead of pending. Any thread. */
	int (*read)(struct gantry_log *, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op);
	/* Reads into the caller's memory, over segments' ends; returns bytes read, short only at
	 * the log's end, or a negative errno. May block on a cold file. Any thread. */
	int64_t (*copy)(struct gantry_log *, uint64_t at, void *to, uint64_t bytes);

	/* Makes everything before upto durable; many asks share one fdatasync. 0: it was already.
	 * Positive: op->result is the new durable mark. Any thread. */
	int (*sync)(struct gantry_log *, uint64_t upto, struct gantry_op *op);

	/* Writer, blocking. Empties the log; the next byte is at (not rounded). */
	int (*reset)(struct gantry_log *, uint64_t at);
	/* Writer, blocking. Drops [at, end): later segments are removed, bytes after at in its own
	 * segment are zeroed up to the next 4 KiB so that no old record follows the end. */
	int (*cut)(struct gantry_log *, uint64_t at);
	/* Removes whole segments that end at or before before, oldest first, never the last; one
	 * that is leased goes when its lease does. Returns how many. Blocking. */
	int (*expire)(struct gantry_log *, uint64_t before);
	/* When the segment that holds at was last written, ms since the epoch; < 0 -ERANGE. */
	int64_t (*modified_ms)(struct gantry_log *, uint64_t at);
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
