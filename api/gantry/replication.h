/* SPDX-License-Identifier: Apache-2.0 */
/* Replication modes: the single door through which a log is written. Asynchronous, synchronous
 * and DLedger modes differ behind it; in front of it nobody can tell.
 *
 * Four marks of a log:
 *   appended    written by this node
 *   durable     survives a power cut here
 *   replicated  stored by as many followers as the mode waits for
 *   visible     what readers never pass: durable under synchronous flush, appended otherwise,
 *               whatever followers do; committed under DLedger; what it stored, on a follower.
 *               It may end inside a record.
 * Acknowledgement is separate: a message whose flush or replicas are late keeps its offsets.
 *
 * How a record is placed. It carries its own physical offset, queue offset and store time, which
 * are known only inside the append, and its length may depend on its queue offset. So the door
 * calls place for each record with the address where it stands in the log, under the log's lock;
 * place does not call out, allocate or wait. A record never crosses a segment's end: the mode
 * pads the tail in its own way, and puts its own frame (DLedger: 48 bytes) before the record. */
#ifndef GANTRY_REPLICATION_H
#define GANTRY_REPLICATION_H

#include <gantry/base.h>
#include <gantry/op.h>
#include <gantry/storage.h>

GANTRY_BEGIN

enum { GANTRY_RECORD_NO_WAIT = 1 }; /* acknowledged when appended, whatever the flush mode */

struct gantry_record {
	/* in */
	uint32_t bytes_max; /* its length, or a bound where that depends on its queue offset */
	uint32_t unit;      /* this many records from here share a segment; 0 and 1: only itself */
	uint32_t flags;
	/* out */
	uint32_t bytes; /* what place wrote; 0: it was left out */
	uint64_t at;    /* where the record itself begins, behind the mode's frame */
	void *user;
};

struct gantry_batch {
	struct gantry_record *record;
	uint32_t count;
	uint32_t placed;  /* out: the first placed records are in the log, in order */
	int64_t store_ms; /* out: ms since the epoch; never less than that of an earlier batch */
	uint64_t end;     /* out: log offset behind the last placed record */
	/* Encodes record at to, which stands for log offset at; returns the bytes used, at most
	 * bytes_max, or 0, having written nothing, to leave this record out. */
	uint32_t (*place)(struct gantry_batch *, struct gantry_record *, uint8_t *to, uint64_t at,
			  int64_t store_ms);
	void *user;
};

enum gantry_mark { GANTRY_APPENDED, GANTRY_DURABLE, GANTRY_REPLICATED, GANTRY_VISIBLE };

/* op->result of a proposal */
enum gantry_ack {
	GANTRY_ACK,
	GANTRY_FLUSH_LATE,   /* stored, not known to be durable in time */
	GANTRY_REPLICA_LATE, /* stored, followers late */
	GANTRY_REPLICA_FEW,  /* stored, too few followers in reach */
	GANTRY_TERM_LOST,    /* perhaps stored: another node leads now */
};

/* The way back up, handed down when attaching. Called with no lock held. */
struct gantry_log_client {
	uint32_t size;
	uint32_t reserved;
	/* The log now ends at at, and marks beyond it have moved back: forget what stood behind it
	 * in queues, index and counters. The next append waits until this returns. May block;
	 * called on a worker or the control loop. A negative errno fences the log. */
	int (*cut)(void *user, uint64_t at);
	/* This node leads, or (leads 0, ready NULL) no longer does; a mode in which it always leads
	 * says so once, inside recovered. 0: the client has caught up and proposals may come in;
	 * positive: ready finishes when it has. Control loop, or where recovered was called. */
	int (*role)(void *user, int leads, uint64_t term, struct gantry_op *ready);
};

enum {
	GANTRY_REPLICA_LEADS = 1,   /* it is the leader that this node follows */
	GANTRY_REPLICA_IN_SYNC = 2, /* of a follower: near enough to count */
};

/* Another node that this one sends the log to, or has it from. Plain value. */
struct gantry_replica {
	char address[64];  /* "host:port", cut if longer */
	uint32_t flags;    /* GANTRY_REPLICA_ */
	uint32_t reserved; /* 0 */
	uint64_t at;       /* log offset: what a follower has stored, where the leader's log ends */
	uint64_t from;     /* log offset where the transfer stands: what goes out, or comes, next */
	uint64_t durable;  /* log offset that the leader says it has flushed */
	uint64_t bytes_per_second; /* of the last second */
	int64_t read_ms, write_ms; /* when it was last heard, written to; ms since the epoch */
};

/* the vtable of a GANTRY_REPLICATION service */
struct gantry_replication_ops {
	uint32_t size;
	uint32_t reserved;
	/* Opens the log with the storage engine that is configured beside it. What is there can be
	 * read and is not yet writable. Control thread; may block. One log per instance. */
	int (*attach)(struct gantry_inst *, const struct gantry_shape *,
		      const struct gantry_log_client *, void *user);
	/* The client has read everything that is valid, up to end; what stands behind it is cut
	 * without a call of the client's cut. store_ms: the last record's, 0 if there is none;
	 * later ones are never less. From here on the log grows and marks move. Control thread or
	 * worker; may block. */
	int (*recovered)(struct gantry_inst *, uint64_t end, int64_t store_ms);
	/* Writes a batch. 0: placed and acknowledged. Positive: placed; op->result is an enum
	 * gantry_ack when flush and followers have answered or op's deadline passed; with status
	 * -EIO (the log was fenced) or -ESHUTDOWN the batch is perhaps stored. Such an op cannot be
	 * cancelled. Negative: nothing was placed: -EAGAIN busy, -EROFS not the leader, -ENOSPC,
	 * -EIO fenced, -EMSGSIZE a unit is larger than a segment, -ESHUTDOWN. When placed < count
	 * without an error, the rest did not fit now. op NULL: nobody waits. batch is the caller's
	 * and may go when propose returns. Any thread. */
	int (*propose)(struct gantry_inst *, struct gantry_batch *, struct gantry_op *op);
	/* 0: the mark has passed upto (mark >= upto); positive: op finishes when it does, with the
	 * mark as its result; or with -EIO, when the log is fenced and it never will, -ESHUTDOWN,
	 * -ECANCELED, -ETIMEDOUT. Any thread. */
	int (*wait)(struct gantry_inst *, enum gantry_mark, uint64_t upto, struct gantry_op *op);
	uint64_t (*mark)(const struct gantry_inst *, enum gantry_mark);        /* any thread */
	void (*bounds)(const struct gantry_inst *, struct gantry_bounds *ret); /* any thread */
	/* As the log's read, but frames, pads and divides are hidden. at is where a record begins,
	 * or where one ended. ret->offset is where the next record begins, at or behind at, and no
	 * frame or divide lies inside the slice. A pad may end it: whatever is no record there,
	 * read again from where the last one ended; the offset moves on if it was a pad. -ERANGE:
	 * nothing there yet. Not bound by the visible mark: the caller sees to that. */
	int (*read)(struct gantry_inst *, uint64_t at, uint64_t max, struct gantry_slice *ret,
		    struct gantry_op *op);
	/* Removes whole segments before an offset; returns how many. May block. */
	int (*expire)(struct gantry_inst *, uint64_t before);
	int64_t (*modified_ms)(struct gantry_inst *, uint64_t at); /* as the log's */
	/* Syncs, closes the log. Control thread; no op of this client is left. */
	void (*detach)(struct gantry_inst *);

	/* Since 0.5; of the last two, a mode without other nodes offers none. */

	/* As read, but waits for the disk in the caller's thread, and is never pending. Blocking:
	 * control thread or worker. */
	int (*fetch)(struct gantry_inst *, uint64_t at, uint64_t max, struct gantry_slice *ret);
	/* To a follower: where the leader's log is to be had, "host:port", as the name server tells
	 * it; empty: nobody leads. It replaces what was said before, and is copied. Any thread. */
	void (*follow)(struct gantry_inst *, struct gantry_str address);
	/* The other nodes as they are now: fills ret up to max, returns how many there are. Any
	 * thread. */
	unsigned (*peers)(const struct gantry_inst *, struct gantry_replica *ret, unsigned max);
};

GANTRY_END
#endif
