/* SPDX-License-Identifier: Apache-2.0 */
/* The write door: what replication modes share. One door, one log. A mode says by its rules what a
 * proposal waits for and which marks it moves itself; the door does the rest.
 * docs/design/replication.md tells how.
 *
 * Threads: any, where nothing else is said. The door's own ops end on the first event loop; calls
 * that say "blocks" must not be made there. */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

#include <gantry/replication.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct door;

/* ---- what stands in the log beside the records */

enum door_kind { DOOR_RECORD, DOOR_FRAME, DOOR_PAD };

enum { DOOR_SPARE = 8 }; /* bytes that stay free behind a record, so that a pad always fits */

struct door_format {
	uint32_t frame_bytes; /* before each record; a multiple of 8, or 0 */
	uint32_t reserved;
	/* Writes the frame of a record that stands behind it already. Under the door's lock; not
	 * called if frame_bytes is 0. */
	void (*frame)(void *user, uint8_t *to, uint64_t at, uint32_t record_bytes);
	/* Marks the rest of a segment, left >= DOOR_SPARE bytes, as unused in its first 8 bytes. */
	void (*pad)(uint8_t *to, uint64_t left);
	/* What begins here: size >= DOOR_SPARE bytes of the log; left: those to the segment's end.
	 * ret_record_bytes is set for a frame. */
	enum door_kind (*look)(const uint8_t *bytes, uint64_t size, uint64_t at, uint64_t left,
			       uint64_t *ret_record_bytes);
};

/* RocketMQ's CommitLog: no frames; a pad is int32 bytes left, int32 0xCBD43194. */
extern const struct door_format door_plain;
/* DLedger's data files: frames of 48 bytes, which the mode writes; a pad is int32 -1, int32 bytes
 * left. A mode copies this and sets frame. */
extern const struct door_format door_framed;

/* ---- rules */

enum { DOOR_BY_HAND = -1 }; /* of a mark: door_move() moves it */

struct door_rules { /* fixed for the door's life; format and user are borrowed */
	const struct door_format *format;
	void *user;               /* handed to format->frame */
	int replicated, visible;  /* the enum gantry_mark that it equals, or DOOR_BY_HAND */
	bool leads_always;        /* proposals come in as soon as the client is ready */
	uint64_t flush_wait_ms;   /* a proposal waits so long for durable; 0: not at all */
	uint64_t replica_wait_ms; /* the same for replicated; the mode's own answer is late, too */
	uint64_t flush_every_ms;  /* what was appended is durable after about so long */
};

/* Control thread, in setup. The instance's storage is the one that is configured beside it. */
int door_new(struct gantry_inst *inst, const struct door_rules *rules, struct door **ret);
void door_free(struct door *door); /* in free; NULL is fine */

/* ---- the calls of the replication service, in its words; attach, recovered, expire, detach block
 */

int door_attach(struct door *door, const struct gantry_shape *shape,
		const struct gantry_log_client *client, void *user);
int door_recovered(struct door *door, uint64_t end, int64_t store_ms);
int door_propose(struct door *door, struct gantry_batch *batch, struct gantry_op *op);
int door_wait(struct door *door, enum gantry_mark mark, uint64_t upto, struct gantry_op *op);
uint64_t door_mark(const struct door *door, enum gantry_mark mark);
void door_bounds(const struct door *door, struct gantry_bounds *ret);
int door_read(struct door *door, uint64_t at, uint64_t max, struct gantry_slice *ret,
	      struct gantry_op *op);
int door_fetch(struct door *door, uint64_t at, uint64_t max, struct gantry_slice *ret);
int door_expire(struct door *door, uint64_t before);
int64_t door_modified_ms(struct door *door, uint64_t at);
void door_detach(struct door *door);

/* These calls as a service, for a mode whose gantry_data() begins with its struct door *. */
extern const struct gantry_replication_ops door_ops;

/* ---- for modes */

/* This node leads from here on: tells the client, and lets proposals in when it is ready; or it no
 * longer does: refuses them, ends those that wait with GANTRY_TERM_LOST, and tells the client.
 * -EBUSY: the client is not ready yet for an earlier term. Control loop, or in recovered. */
int door_role(struct door *door, bool leads, uint64_t term);
/* A mark that is moved by hand has reached upto; it never goes back by this. */
void door_move(struct door *door, enum gantry_mark mark, uint64_t upto);
/* Ends every proposal that waits: GANTRY_TERM_LOST, GANTRY_REPLICA_FEW. */
void door_answer(struct door *door, enum gantry_ack answer);
/* Whether there are too few followers for replicated to move: then a proposal does not wait for
 * them, and what they lack is answered with GANTRY_REPLICA_FEW when its flush has ended. */
void door_few(struct door *door, bool few);
/* A follower's bytes, which its leader has at that offset: records, frames, pads, cut anywhere.
 * -ERANGE: at is not the end, except that an empty log begins there (which blocks). What was
 * written before an error stays and is appended. One caller at a time. */
int door_feed(struct door *door, uint64_t at, const void *bytes, uint64_t size);
/* Drops what stands at at and behind it, in the log and, through its cut, at the client. Ends
 * proposals that lose their records with GANTRY_TERM_LOST. Blocks. */
int door_cut(struct door *door, uint64_t at);
/* Whether the log was fenced: nothing is written to it any more. Any thread. */
bool door_fenced(const struct door *door);
/* The log itself and its engine's calls: what a leader sends to followers is read raw. */
struct gantry_log *door_log(const struct door *door, const struct gantry_log_ops **ret_ops);

#ifdef __cplusplus
}
#endif
#endif
