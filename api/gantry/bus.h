/* SPDX-License-Identifier: Apache-2.0 */
/* The event bus: rare changes of state (a role changed, a topic was created, a consumer joined,
 * the disk fills, the configuration was reloaded), never messages.
 *
 * A topic has one owner, a name, a version and a payload of fixed size. Publishing delivers first
 * to the synchronous subscribers in order of priority, on the publisher's thread; on a topic with
 * GANTRY_TOPIC_VETO one of them may stop the event. Then it is copied to the bounded queues of
 * the asynchronous ones. The last thing a subscription hears is always its end. */
#ifndef GANTRY_BUS_H
#define GANTRY_BUS_H

#include <gantry/base.h>
#include <gantry/loop.h>

GANTRY_BEGIN

enum { GANTRY_TOPIC_VETO = 1 };    /* gantry_topic.flags */
enum { GANTRY_PAYLOAD_MAX = 256 }; /* bytes; a payload is a plain struct, copied */
enum { GANTRY_EARLY = -100, GANTRY_NORMAL = 0, GANTRY_LATE = 100 };

/* static const in its owner; the declared type of an event */
struct gantry_topic {
	uint32_t size;
	uint32_t version;
	uint32_t flags;
	uint32_t payload_size;
	const char *name; /* "broker.topic.created" */
};

struct gantry_event {
	const struct gantry_topic *topic;
	const void *payload; /* the copy; valid during the call */
	const void *live;    /* the publisher's own object; NULL when delivered asynchronously */
	uint64_t sequence;   /* counts the topic's events from 1 */
	uint32_t lost;       /* dropped from this subscription's full queue since the last one;
				the oldest are, the newest stay */
	uint32_t reserved;
};

struct gantry_subscribe_spec {
	uint32_t size;
	int32_t priority; /* synchronous only: smaller first, ties in order of subscribing */
	struct gantry_loop *loop; /* NULL: synchronous; else asynchronous, delivered there */
	uint32_t queue_max;       /* asynchronous only: 1 to 65536, allocated when subscribing */
	uint32_t reserved;
	/* 0, or on a veto topic a negative errno, which stops the event and is returned to its
	 * publisher. Must not publish on the same topic. */
	int (*event)(const struct gantry_event *event, void *user);
	void (*end)(void *user); /* always comes, once, last: free user here; may be NULL */
	void *user;
};

struct gantry_subscription;

/* Declares a topic: -EEXIST if the name is taken. Control thread, in setup. The kernel takes it
 * back, ending its subscriptions, when inst is freed. */
GANTRY_API int gantry_topic_define(struct gantry_inst *inst, const struct gantry_topic *topic);

/* -ENOENT: no such topic; -EPROTO: it is older than version_min. Any thread. */
GANTRY_API int gantry_subscribe(struct gantry_inst *inst, const char *topic, uint32_t version_min,
				const struct gantry_subscribe_spec *spec,
				struct gantry_subscription **ret);

/* After this returns no event call begins, except on the asynchronous subscription's own loop one
 * that is running now. end follows. Any thread; NULL is fine. The kernel cancels what is left
 * when inst stops. */
GANTRY_API void gantry_unsubscribe(struct gantry_subscription *subscription);

/* Any thread. payload: payload_size bytes, copied. 0, or the negative errno of a veto. */
GANTRY_API int gantry_publish(struct gantry_inst *inst, const struct gantry_topic *topic,
			      const void *payload, const void *live);

/* Topics of the kernel itself. */
#define GANTRY_TOPIC_STAGE "kernel.stage"       /* payload: struct gantry_stage_event */
#define GANTRY_TOPIC_RELOADED "kernel.reloaded" /* payload: uint32_t, instances changed */

enum gantry_stage {
	GANTRY_STAGE_LOAD = 1,
	GANTRY_STAGE_CONFIGURE,
	GANTRY_STAGE_RESOLVE,
	GANTRY_STAGE_START,
	GANTRY_STAGE_SERVE,
	GANTRY_STAGE_DRAIN,
	GANTRY_STAGE_STOP,
	GANTRY_STAGE_UNLOAD,
};
struct gantry_stage_event {
	uint32_t stage; /* enum gantry_stage, now complete */
	uint32_t reserved;
};

GANTRY_END
#endif
