/* SPDX-License-Identifier: Apache-2.0 */
/* The life of files: old ones of the log go by hour, age and how full the disk is; those of queues
 * and index follow the log; and a nearly full disk refuses sends. docs/design/store.md, "Old
 * files". */
#ifndef STORE_EXPIRE_H
#define STORE_EXPIRE_H

#include <gantry/base.h>

#include "store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct expiry; /* one a store; lives as long */
struct expiry *store_expiry(struct store *store);

/* What time it is, and how full disks are; tests put others in their place. On a worker. */
struct expiry_senses {
	int64_t (*now_ms)(void *user);                     /* since the epoch */
	int (*used_percent)(const char *path, void *user); /* -1: not known */
	void *user;
};

int expiry_define_topic(struct gantry_inst *inst); /* GANTRY_TOPIC_DISK; in setup */
int expiry_new(struct store *store, struct expiry **ret);
void expiry_free(struct expiry *expiry); /* it is quiet; NULL is fine */
/* Looks at the disk for the first time a minute later, then every cleanResourceInterval. */
int expiry_start(struct expiry *expiry);
/* No work begins any more; the dispatcher is woken when it is quiet. The dispatcher's loop. */
void expiry_stop(struct expiry *expiry);
bool expiry_is_quiet(const struct expiry *expiry);

/* Whether sends are refused. Any thread. */
bool expiry_is_full(const struct expiry *expiry);
/* RocketMQ's "CL:  0.12 CQ:  0.12 INDEX:  0.12", as seen last. Any thread. */
void expiry_describe(const struct expiry *expiry, char *to, size_t size);
/* An administrator's wish: this round, which begins at once, and the 19 after it remove what is old
 * enough at any hour. Any thread. */
void expiry_ask(struct expiry *expiry);
void expiry_set_senses(struct expiry *expiry, const struct expiry_senses *senses); /* any thread */
/* A whole round at once, without its pauses. Blocks: on a worker. Returns how many files of the
 * log it removed, or a negative errno. */
int expiry_round(struct expiry *expiry);

#ifdef __cplusplus
}
#endif
#endif
