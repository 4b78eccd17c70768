/* SPDX-License-Identifier: Apache-2.0 */
/* What a slave has from its master beside the log: topics, groups, consumer and delay offsets,
 * request modes. As RocketMQ's SlaveSynchronize of 5.5.0. */
#ifndef SLAVE_SLAVE_H
#define SLAVE_SLAVE_H

#include "feature.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct feature slave_feature;

/* What the name servers say now: where the master is ("host:port"; empty: there is none) and where
 * its log is to be had (empty: not told). Copied. Control loop; nothing on a master. */
void slave_told(struct broker *broker, struct gantry_str master, struct gantry_str ha);

/* A client has committed an offset here: if the master does not learn of it from the client, it
 * does from this slave. Any thread; nothing on a master. */
void slave_note_progress(struct broker *broker, struct gantry_str group, struct gantry_str topic,
			 int32_t queue);

#ifdef __cplusplus
}
#endif
#endif
