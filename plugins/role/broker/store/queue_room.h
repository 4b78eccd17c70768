/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of queues: the first ones apart, very many side by side in huge pages. */
#ifndef STORE_QUEUE_ROOM_H
#define STORE_QUEUE_ROOM_H

#include "store/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed, or NULL. Under table_lock. */
struct queue *queue_room_take(struct store *store);
void queue_room_give(struct queue *queue);  /* one of a slab stays in it to the end */
void queue_rooms_free(struct store *store); /* after all queues */

#ifdef __cplusplus
}
#endif
#endif
