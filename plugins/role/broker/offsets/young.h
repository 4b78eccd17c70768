/* SPDX-License-Identifier: Apache-2.0 */
#ifndef YOUNG_H
#define YOUNG_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

struct queue;
/* Whether the message at queue offset 0 is so young that it is still in memory: then who has no
 * offset begins there, and at the end otherwise (RocketMQ's checkInMemByConsumeOffset). A queue
 * that is not open is not young. Any thread. */
bool young_queue(struct broker *broker, struct queue *queue);

#ifdef __cplusplus
}
#endif
#endif
