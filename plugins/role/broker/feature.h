/* SPDX-License-Identifier: Apache-2.0 */
/* Features of the broker that have a life of their own: delays, transactions, samplers. A feature
 * is a file or a small folder; it adds its line to the table in features.c, its requests to
 * requests/call.c, its steps to the plans of sending and pulling. Nothing else of the broker knows
 * it. */
#ifndef FEATURE_H
#define FEATURE_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* self: what make() returned. All of it on the control thread; every member may be NULL. */
struct feature {
	const char *name;
	/* In setup, when the tables, the sender and the puller are there. No I/O. */
	int (*make)(struct broker *broker, void **ret);
	/* In start, before the store opens: reads the feature's state files. Blocks. */
	int (*load)(void *self);
	/* The store is open: timers and walks begin. */
	int (*serve)(void *self);
	/* This node leads: what only a master does begins, and ends when it does not any more (op
	 * finishes when nothing of it is under way). After serve; again and again, in turns; follow
	 * also comes before end. Puts may fail with -EROFS for a moment on either side. */
	int (*lead)(void *self);
	int (*follow)(void *self, struct gantry_op *op);
	/* In drain, when clients' sends and pulls have ended, the latest feature first: nothing new
	 * is begun; op finishes when what was under way is done. Not called if serve() was not. */
	int (*end)(void *self, struct gantry_op *op);
	/* In stop, before offsets, topics and the store close: what is kept is written. */
	int (*close)(void *self, struct gantry_op *op);
	void (*free)(void *self); /* after whatever went before it; NULL is not passed */
};

/* What the feature's make() returned; NULL: none yet. Any thread. */
void *feature_data(const struct broker *broker, const struct feature *feature);

/* ---- for broker.c */

int features_new(struct broker *broker, struct features **ret);
int features_load(struct features *features);
int features_serve(struct features *features);
/* broker.leads has changed. Any thread; nothing before features_serve(). */
void features_role_changed(struct broker *broker);
int features_end(struct broker *broker, struct gantry_op *op);   /* a broker_step */
int features_close(struct broker *broker, struct gantry_op *op); /* so, too */
void features_free(struct features *features);                   /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
