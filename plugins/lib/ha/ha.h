/* SPDX-License-Identifier: Apache-2.0 */
/* Log shipping over RocketMQ's HA protocol, for modes over lib/door: a master that serves slaves,
 * and a slave that follows a master. docs/design/replication.md tells how. */
#ifndef HA_HA_H
#define HA_HA_H

#include <door/door.h>
#include <gantry/conf.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- master */

struct ha_master_conf { /* the keys of HA_MASTER_KEYS */
	int64_t listen_port, port;
	int64_t heartbeat_ms, housekeeping_ms;
	int64_t batch_bytes, speed_max, gap_max, slaves_max;
	bool serve, speed_limited, from_first_file, durable_only;
};

struct ha_master;

/* conf and door are borrowed. changed: a slave came, went or reported; on the loop of its
 * connection, with no lock held; NULL: nobody wants to know. Control thread, in setup. */
int ha_master_new(struct gantry_inst *inst, struct door *door, const struct ha_master_conf *conf,
		  void (*changed)(void *user), void *user, struct ha_master **ret);
void ha_master_free(struct ha_master *master); /* in free; NULL is fine */
/* In serve: opens the port. Connections are closed at once while no log is open. */
int ha_master_listen(struct ha_master *master);
/* Port in use; 0: none. Any thread. */
unsigned ha_master_port(const struct ha_master *master);
/* The door's log can be read from here on; until shut, which ends every connection and blocks
 * until no lease and no op of theirs is left. NULL is fine. Not on an event loop. */
void ha_master_open(struct ha_master *master);
void ha_master_shut(struct ha_master *master);
struct ha_held {       /* by count slaves */
	bool enough;   /* so many connections have reported, though two may be one slave's */
	uint64_t end;  /* what so many connections have reported; 0: there are fewer */
	uint64_t sure; /* what so many slaves have for certain; 0: there are fewer */
};

/* What count slaves, 1 or more, have reported. Nothing in the protocol tells whose connection it
 * is, and one that broke off unseen stays until the housekeeping: docs/design/replication.md. Any
 * thread. */
void ha_master_held(struct ha_master *master, unsigned count, struct ha_held *ret);

/* The slaves that have reported, as the service's peers. Any thread. */
unsigned ha_master_peers(struct ha_master *master, struct gantry_replica *ret, unsigned max);

/* Rows of a key table, whose snapshot struct_ has a struct ha_master_conf named ha. */
#define HA_MASTER_KEYS(struct_)                                                                    \
	GANTRY_KEY(INT, struct_, ha.listen_port, "listenPort", .dflt = "10911", .min = 0,          \
		   .max = 65535, .help = "port that clients are told; 0: one that is free"),       \
		GANTRY_KEY(INT, struct_, ha.port, "haListenPort", .dflt = "0", .min = 0,           \
			   .max = 65535,                                                           \
			   .help = "port that slaves are served on; 0: listenPort + 1"),           \
		GANTRY_KEY(BOOL, struct_, ha.serve, "haServeSlaves", .dflt = "true",               \
			   .help = "false: the port for slaves stays closed"),                     \
		GANTRY_KEY(DURATION, struct_, ha.heartbeat_ms, "haSendHeartbeatInterval",          \
			   .unit = "ms", .dflt = "5000", .min = 10, .max = 3600000,                \
			   .help = "a slave hears something after so long, if only a heartbeat"),  \
		GANTRY_KEY(DURATION, struct_, ha.housekeeping_ms, "haHousekeepingInterval",        \
			   .unit = "ms", .dflt = "20000", .min = 20, .max = 3600000,               \
			   .help = "the other side has gone when it is silent for so long"),       \
		GANTRY_KEY(SIZE, struct_, ha.batch_bytes, "haTransferBatchSize", .unit = "bytes",  \
			   .dflt = "32768", .min = 1024, .max = 4 * 1024 * 1024 - 12,              \
			   .help = "bytes of the log under one header"),                           \
		GANTRY_KEY(BOOL, struct_, ha.speed_limited, "haFlowControlEnable",                 \
			   .dflt = "false", .help = "maxHaTransferByteInSecond is kept"),          \
		GANTRY_KEY(SIZE, struct_, ha.speed_max, "maxHaTransferByteInSecond",               \
			   .unit = "bytes", .dflt = "104857600", .min = 1024, .max = INT64_MAX,    \
			   .help = "bytes that one slave is sent in a second"),                    \
		GANTRY_KEY(SIZE, struct_, ha.gap_max, "haMaxGapNotInSync", .unit = "bytes",        \
			   .dflt = "268435456", .min = 1, .max = INT64_MAX,                        \
			   .help = "a slave further behind is not in sync"),                       \
		GANTRY_KEY(INT, struct_, ha.slaves_max, "haMaxConnections", .dflt = "64",          \
			   .min = 1, .max = 1024, .help = "connections on the port for slaves"),   \
		GANTRY_KEY(                                                                        \
			BOOL, struct_, ha.from_first_file, "haSendFromFirstFile", .dflt = "false", \
			.help = "a slave without a log gets all of it, not its last file only"),   \
		GANTRY_KEY(BOOL, struct_, ha.durable_only, "haSendDurableOnly", .dflt = "false",   \
			   .help = "slaves get what is on this disk, so that none is ahead after " \
				   "a power cut")

/* ---- slave */

struct ha_client_conf {
	int64_t heartbeat_ms, housekeeping_ms;
	enum gantry_mark
		reported; /* GANTRY_APPENDED, or GANTRY_DURABLE where flushes are waited for
			   */
};

struct ha_client;

/* conf and door are borrowed. Control thread, in setup. */
int ha_client_new(struct gantry_inst *inst, struct door *door, const struct ha_client_conf *conf,
		  struct ha_client **ret);
void ha_client_free(struct ha_client *client); /* in free; NULL is fine */
/* Where the master serves slaves, "host:port"; empty: nowhere. -EINVAL, -ENAMETOOLONG. Any
 * thread. */
int ha_client_follow(struct ha_client *client, struct gantry_str address);
/* As the master's: between them the log is fed. Not on an event loop. */
void ha_client_open(struct ha_client *client);
void ha_client_shut(struct ha_client *client);

/* The master, as the service's peers: 1, or 0 if none is known. Any thread. */
unsigned ha_client_peers(struct ha_client *client, struct gantry_replica *ret, unsigned max);

#ifdef __cplusplus
}
#endif
#endif
