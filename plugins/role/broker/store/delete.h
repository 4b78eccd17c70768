/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting a topic's queues. */
#ifndef STORE_DELETE_H
#define STORE_DELETE_H

#include "store/store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The queues of that topic and their files are gone, as RocketMQ's deleteTopics; a topic of that
 * name that is made later begins with offset 0. Its messages stay in the log until they expire.
 * Blocks: on a worker. A negative errno: files are left behind, which was logged. */
int store_delete_topic(struct store *store, struct gantry_str topic);

/* Calls judge with every topic that has a folder of queues, until one returns what is not 0, which
 * is then returned: a topic that nobody has any more it gives to store_delete_topic(). Blocks: on a
 * worker. */
int store_delete_unused(struct store *store, int (*judge)(struct gantry_str topic, void *user),
			void *user);

#ifdef __cplusplus
}
#endif
#endif
