/* SPDX-License-Identifier: Apache-2.0 */
/* The master's side from inside. A slave's connection lives on one event loop; what others may look
 * at is atomic. Lock: the master's list of connections and how each is held. */
#ifndef HA_MASTER_IMPL_H
#define HA_MASTER_IMPL_H

#include "acked.h"
#include "address.h"
#include "ha.h"
#include "wire.h"

#include <gantry/log.h>
#include <gantry/loop.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum {
	SHIP_BATCHES = 16,          /* headers in one write */
	SHIP_MAX = 2 * 1024 * 1024, /* bytes in one write */
	REPORTS_MAX = 128,          /* bytes of reports read at once; a multiple of 8 */
	HA_SLAVES_MAX = 2 * 1024,   /* haMaxConnections' most, and as many that are giving way */
};

struct ha_slave {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct ha_master *master;
	struct gantry_loop *loop;
	struct ha_slave *next;  /* master->lock */
	unsigned holders;       /* master->lock: two handles, an op, a write, a task */
	bool told;              /* master->lock: task is on its way */
	struct gantry_task end; /* closes it */
	char address[HA_ADDRESS_MAX];
	uint32_t host;  /* master->lock; the same for all that come from one */
	bool in_doubt;  /* master->lock: one that reported later may be the same slave, */
	uint64_t doubt; /* master->lock: until more than this is acked */
	bool closed;

	uint8_t in[REPORTS_MAX];
	size_t in_used;
	uint64_t read_ms, wrote_ms;         /* gantry_clock_ms() */
	_Atomic int64_t heard_ms, spoke_ms; /* the same, since the epoch */
	atomic_bool reported;
	_Atomic uint64_t acked, sent; /* log offsets; sent: behind what was handed to the socket */

	struct gantry_op op;
	enum { HA_IDLE, HA_COLD, HA_GROWTH } waits; /* what op is pending for */
	bool fenced;                                /* the log grows no more */
	uv_write_t write;
	bool writing;
	struct gantry_slice slice; /* what is being written */
	uint8_t heads[SHIP_BATCHES * HA_HEAD_BYTES];
	uint64_t second_ms;           /* when this second of flow control began */
	uint64_t second_bytes;        /* sent in it */
	_Atomic uint64_t bytes_per_s; /* of the second before */
};

struct ha_master {
	struct gantry_inst *inst;
	struct door *door;
	const struct ha_master_conf *conf;
	enum gantry_mark upto; /* what slaves may have */
	void (*changed)(void *user);
	void *user;
	struct gantry_listener *listener;
	/* the door's, while open */
	struct gantry_log *log;
	const struct gantry_log_ops *ops;

	pthread_mutex_t lock;
	pthread_cond_t quiet;
	bool open;             /* lock */
	struct ha_slave *list; /* lock */
	unsigned count;        /* lock */
	uint32_t hosts;        /* lock; the last number given */
	struct gantry_log_limit begin_limit, refuse_limit, full_limit, bad_limit, gone_limit,
		read_limit;
};

/* ---- master.c */
bool ha_master_take(struct ha_slave *slave); /* false: the log is shut, or there are too many */
void ha_slave_known(struct ha_slave *slave, uint64_t offset); /* its first report; on its loop */
void ha_slave_hold(struct ha_slave *slave);
void ha_slave_release(struct ha_slave *slave); /* the last one frees it */

/* ---- slave.c */
void ha_slave_accepted(struct gantry_listener *listener, struct gantry_loop *loop, int fd,
		       void *user);
void ha_slave_close(struct ha_slave *slave); /* on its loop; once is enough */

/* ---- ship.c; on the slave's loop */
/* Where to begin for a slave whose log ends at offset. false: it cannot be served; why is said. */
bool ha_ship_begin(struct ha_slave *slave, uint64_t offset);
void ha_ship(struct ha_slave *slave);      /* sends what there is and waits for more */
void ha_ship_tick(struct ha_slave *slave); /* heartbeats, flow control */

#endif
