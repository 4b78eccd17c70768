/* SPDX-License-Identifier: Apache-2.0 */
/* How far the members of broadcasting groups have pulled, as RocketMQ's BroadcastOffsetManager
 * 5.5.0 keeps it. Members keep their own offsets; the broker's notes are for one who goes from a
 * proxy to the broker, or back, and for one who comes by a proxy without an offset. The offset of
 * the slowest member is committed now and then, for the group "GROUP@broadcast". */
#ifndef BROADCAST_H
#define BROADCAST_H

#include "feature.h"
#include "store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct feature broadcast_feature;

enum { BROADCAST_CLIENT_MAX = 255 /* bytes of a client's id; longer ones are not noted */ };

/* Who pulls from where. */
struct broadcast_pull {
	struct gantry_str topic, group, client;
	int32_t queue;
	bool by_proxy;
	int64_t offset; /* what it asks for */
};

/* Where it has to go on instead of what it asks for; -1: it is right. from: the queue, open.
 * On a kernel loop. */
int64_t broadcast_start(struct broker *broker, const struct broadcast_pull *pull,
			struct queue *from);
/* Notes that it was answered, from pull->offset on. On a kernel loop. */
void broadcast_note(struct broker *broker, const struct broadcast_pull *pull);
/* Commits the least offsets, and forgets members that have gone: what the timer does every five
 * seconds. Control thread. */
void broadcast_round(struct broker *broker);

#ifdef __cplusplus
}
#endif
#endif
