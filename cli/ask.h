/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that the commands put to name servers and brokers, one function each.
 *
 * All of them return 0 when the answer was a yes; a negative errno when none came; RocketMQ's
 * response code when it was a no. ask_why() then is a sentence about it. They wait ASK_MS. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "link.h"

#include <stdbool.h>

GANTRY_BEGIN

enum { ASK_MS = 5000 };

enum { /* response codes that change what is done next */
       ASK_FLUSH_DISK_TIMEOUT = 10,
       ASK_SLAVE_NOT_AVAILABLE = 11,
       ASK_FLUSH_SLAVE_TIMEOUT = 12,
       ASK_TOPIC_NOT_EXIST = 17,
       ASK_PULL_NOT_FOUND = 19,
       ASK_PULL_RETRY = 20,
       ASK_PULL_MOVED = 21,
       ASK_NOT_FOUND = 22,
       ASK_SYSTEM_BUSY = 2,
};

enum { ASK_PULL_CODE = 11, ASK_MEMBERS_CHANGED = 40, ASK_SEND_CODE = 310 }; /* request codes */

/* Request fields under construction; numbers are kept here. At most FIELDS_ROOM of them. */
enum { FIELDS_ROOM = 16, FIELDS_NUMBER = 24 };
struct fields {
	uint32_t count;
	struct gantry_field at[FIELDS_ROOM];
	char numbers[FIELDS_ROOM][FIELDS_NUMBER];
};
void fields_text(struct fields *fields, const char *name, const char *value); /* NULL: left out */
void fields_str(struct fields *fields, const char *name, struct gantry_str value);
void fields_int(struct fields *fields, const char *name, int64_t value);

/* "broker 127.0.0.1:10911 answered 17 to ...: topic[x] not exist". Valid until the next question.
 */
const char *ask_why(void);
/* The exit code that a question's failure stands for. */
int ask_exit(int failed);

/* Asks anything; ret is the answer. what: "for the route of T", used in the sentence. */
int ask(struct link *link, int32_t code, const struct fields *fields, struct gantry_str body,
	const char *what, struct link_message *ret);

/* A message to send; everything is the caller's. */
struct ask_send {
	const char *group, *topic;
	int32_t queue, queue_count; /* queue_count: for a topic that is created by this send */
	struct gantry_str properties, body;
};
struct ask_sent {
	int32_t status; /* 0, or a code that says "stored, but" (10, 11, 12) */
	int32_t queue;
	int64_t offset;
	char msg_id[64]; /* offsetMsgId */
};
int ask_send(struct link *link, const struct ask_send *message, struct ask_sent *ret);

/* The fields of a send, as ask_send() and the load generator send them. */
void ask_send_fields(struct fields *ret, const struct ask_send *message, int64_t born_ms);

/* What a member of a group tells brokers about itself. */
struct ask_member {
	const char *client_id, *group, *topic;
	const char *tags;    /* "*", "A || B" */
	int64_t sub_version; /* ms */
	bool from_first;
};
int ask_heartbeat(struct link *link, const struct ask_member *member);
int ask_leave(struct link *link, const struct ask_member *member);
/* The same heartbeat, its answer left to the link's listener. */
int ask_heartbeat_unanswered(struct link *link, const struct ask_member *member);

/* The group's client ids as the broker knows them: a NULL-terminated array, g_strfreev() frees it;
 * empty when it knows none. */
int ask_members(struct link *link, const char *group, char ***ret);

int ask_min_offset(struct link *link, const char *topic, int32_t queue, int64_t *ret);
int ask_max_offset(struct link *link, const char *topic, int32_t queue, int64_t *ret);
/* The offset that the group has committed; ASK_NOT_FOUND when it has none. */
int ask_committed(struct link *link, const char *group, const char *topic, int32_t queue,
		  int64_t *ret);
int ask_commit(struct link *link, const char *group, const char *topic, int32_t queue,
	       int64_t offset);

GANTRY_END
#endif
