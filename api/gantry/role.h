/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: what a front-end calls. Broker or name server; operations in terms that no protocol owns.
 * Codes are RocketMQ's response codes, which every client of the field knows.
 *
 * Threads: a front-end calls from its connection's loop and gets the op back on that loop.
 * Memory: everything a request points to is borrowed until the call returns; the role copies what
 * it keeps. The request struct itself stays the caller's, in place, until the op is done. */
#ifndef GANTRY_ROLE_H
#define GANTRY_ROLE_H

#include <gantry/base.h>
#include <gantry/frontend.h>
#include <gantry/op.h>
#include <gantry/storage.h>

GANTRY_BEGIN

/* RocketMQ's response codes that a role answers with */
enum gantry_code {
	GANTRY_SUCCESS = 0,
	GANTRY_SYSTEM_ERROR = 1,
	GANTRY_SYSTEM_BUSY = 2,
	GANTRY_REQUEST_CODE_NOT_SUPPORTED = 3,
	GANTRY_FLUSH_DISK_TIMEOUT = 10,
	GANTRY_SLAVE_NOT_AVAILABLE = 11,
	GANTRY_FLUSH_SLAVE_TIMEOUT = 12,
	GANTRY_MESSAGE_ILLEGAL = 13,
	GANTRY_SERVICE_NOT_AVAILABLE = 14,
	GANTRY_NO_PERMISSION = 16,
	GANTRY_TOPIC_NOT_EXIST = 17,
	GANTRY_PULL_NOT_FOUND = 19,
	GANTRY_PULL_RETRY_IMMEDIATELY = 20,
	GANTRY_PULL_OFFSET_MOVED = 21,
	GANTRY_QUERY_NOT_FOUND = 22,
	GANTRY_SUBSCRIPTION_PARSE_FAILED = 23,
	GANTRY_SUBSCRIPTION_NOT_EXIST = 24,
	GANTRY_SUBSCRIPTION_NOT_LATEST = 25,
	GANTRY_SUBSCRIPTION_GROUP_NOT_EXIST = 26,
	GANTRY_FILTER_DATA_NOT_EXIST = 27,
	GANTRY_FILTER_DATA_NOT_LATEST = 28,
	GANTRY_INVALID_PARAMETER = 29,
	GANTRY_CONSUMER_NOT_ONLINE = 206,
	GANTRY_CONSUME_MSG_TIMEOUT = 207,
	GANTRY_NO_MESSAGE = 208,
};

enum { GANTRY_REMARK_MAX = 512 }; /* bytes with the NUL */

/* ---- send */

/* gantry_send.flags */
enum {
	GANTRY_SEND_BATCH = 1, /* body is RocketMQ's batch encoding */
	GANTRY_SEND_UNIT = 2,
	GANTRY_SEND_ONE_WAY = 4, /* nobody waits for the answer */
};

/* gantry_send.ret_flags */
enum {
	GANTRY_SENT_INNER_BATCH = 1, /* the batch is one record: transaction_id is the batch's */
};

struct gantry_send {
	/* in */
	struct gantry_session *session;
	struct gantry_str topic, group, default_topic, properties, body; /* properties: RocketMQ's
		text form, key 0x01 value 0x02 */
	int64_t born_ms;
	int32_t default_queues, queue; /* queue < 0: any */
	int32_t sys_flag, flag;        /* RocketMQ's MessageSysFlag; the producer's own */
	int32_t reconsume_times, max_reconsume_times; /* -1: not given */
	int32_t client_version;
	uint32_t flags;
	/* out */
	int32_t code;
	int32_t ret_queue;
	int64_t queue_offset;    /* of the first message */
	const uint64_t *offsets; /* physical, one for each message of the batch; the role's, valid
				    until the op's done returns, or if the call returned 0 until
				    the next send on that loop */
	uint32_t offset_count;   /* 0: nothing was stored */
	uint32_t transaction_id_size;
	char transaction_id[64];        /* the message's UNIQ_KEY, not NUL-terminated */
	char remark[GANTRY_REMARK_MAX]; /* "" for none; the caller sets remark[0] = 0 */
	void *user;                     /* the caller's */
	uint32_t ret_flags;             /* out, since 0.5; the caller sets 0 */
	uint32_t reserved;
};

/* ---- pull */

/* gantry_pull.flags, RocketMQ's PullSysFlag */
enum {
	GANTRY_PULL_COMMIT = 1,
	GANTRY_PULL_SUSPEND = 2,
	GANTRY_PULL_SUBSCRIPTION = 4,
	GANTRY_PULL_CLASS_FILTER = 8,
	GANTRY_PULL_LITE = 16,
};

struct gantry_pull {
	/* in */
	struct gantry_session *session;
	struct gantry_str group, topic, subscription, expression_type, proxy_client_id;
	int64_t offset, commit_offset, sub_version, suspend_ms;
	int32_t queue, max_messages, max_bytes; /* max_bytes < 0: not given */
	int32_t request_source, client_version;
	uint32_t flags;
	/* out */
	int32_t code;
	int32_t forbidden_type; /* RocketMQ's ForbiddenType; 0: none */
	int64_t next_offset, min_offset, max_offset, suggest_broker_id;
	int32_t topic_sys_flag, group_sys_flag; /* -1: leave out */
	struct gantry_slice *slices; /* the stored messages; the array is the role's and valid as
					offsets above are, the leases are the caller's to release;
					one lease may stand for the slices before it as well, which
					then have none: release them in order, or together */
	uint32_t slice_count, message_count;
	char remark[GANTRY_REMARK_MAX];
	void *user;     /* the caller's */
	void *private_; /* the role's while the op is pending */
};

/* ---- everything else, by RocketMQ's request code, fields and body */

struct gantry_call {
	/* in */
	struct gantry_session *session;
	const struct gantry_field *fields;
	struct gantry_str body;
	uint32_t field_count;
	int32_t code; /* RocketMQ's RequestCode */
	int32_t client_version, language;
	uint32_t one_way;
	/* out */
	int32_t ret_code;
	uint32_t ret_field_count;
	struct gantry_field ret_fields[16]; /* their text stands in ret_text, or is static */
	uint32_t ret_text_used;
	char ret_text[1024];
	char *ret_body; /* from malloc; the caller frees it; NULL for none */
	size_t ret_body_size;
	char remark[GANTRY_REMARK_MAX];
	void *user; /* the caller's */
};

/* ---- clients */

/* RocketMQ's SubscriptionData */
struct gantry_subscription_data {
	struct gantry_str topic, expression, expression_type;
	int64_t version;
	uint32_t class_filter;
	uint32_t reserved;
};

enum { GANTRY_CONSUME_ACTIVELY, GANTRY_CONSUME_PASSIVELY, GANTRY_CONSUME_POP };
enum { GANTRY_BROADCASTING, GANTRY_CLUSTERING };
enum { GANTRY_FROM_LAST_OFFSET, GANTRY_FROM_FIRST_OFFSET, GANTRY_FROM_TIMESTAMP };

struct gantry_consumer_data {
	struct gantry_str group;
	uint32_t consume_type, message_model, from_where, unit;
	const struct gantry_subscription_data *subscriptions;
	uint32_t subscription_count;
	uint32_t reserved;
};

/* a heartbeat */
struct gantry_client {
	struct gantry_session *session;
	struct gantry_str id;
	int32_t language, version;
	const struct gantry_str *producer_groups;
	const struct gantry_consumer_data *consumers;
	uint32_t producer_count, consumer_count;
	int32_t fingerprint;            /* 0: none (heartbeat v1) */
	uint32_t without_subscriptions; /* only says that it lives */
	/* out */
	uint32_t subscriptions_changed; /* the client should send them in full */
	int32_t code;
	char remark[GANTRY_REMARK_MAX];
};

/* Published on the bus by a broker when the level of its disks changes; defined by the first broker
 * of a process. */
#define GANTRY_TOPIC_DISK "broker.disk"
enum gantry_disk_level {
	GANTRY_DISK_OK,
	GANTRY_DISK_FILLING, /* old files are removed at any hour */
	GANTRY_DISK_FULL,    /* sends are refused */
};
struct gantry_disk_event {
	uint32_t level;         /* enum gantry_disk_level */
	int32_t log_percent;    /* used; of the log's least full folder; -1: not known */
	int32_t queues_percent; /* of the consume queues' folder */
	uint32_t reserved;
	char broker[128]; /* brokerName, cut; NUL-terminated */
};

/* the vtable of a GANTRY_ROLE service */
struct gantry_role_ops {
	uint32_t size;
	uint32_t reserved;
	/* Stores count requests of one connection's turn as one batch. 0: every result is there.
	 * Positive: op finishes when every one is. Never negative: errors are in each code. */
	int (*send)(struct gantry_inst *, struct gantry_send *const *sends, uint32_t count,
		    struct gantry_op *op);
	/* 0: the result is there; positive: held until messages come or suspend_ms ends. */
	int (*pull)(struct gantry_inst *, struct gantry_pull *, struct gantry_op *op);
	int (*call)(struct gantry_inst *, struct gantry_call *, struct gantry_op *op);
	/* A heartbeat; a client that leaves a group ("" leaves nothing). Done when they return. */
	int (*join)(struct gantry_inst *, struct gantry_client *);
	int (*leave)(struct gantry_inst *, struct gantry_session *, struct gantry_str client_id,
		     struct gantry_str producer_group, struct gantry_str consumer_group);
	/* The connection is closed. Ops of its held pulls are finished with -EPIPE. */
	void (*gone)(struct gantry_inst *, struct gantry_session *);
	/* The host that message ids name, and the order of RocketMQ's storeHost. */
	void (*store_host)(const struct gantry_inst *, struct gantry_address *ret);
};

GANTRY_END
#endif
