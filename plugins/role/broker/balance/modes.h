/* SPDX-License-Identifier: Apache-2.0 */
/* Message request modes: whether a group pulls or pops a topic. config/messageRequestMode.json in
 * RocketMQ's shape. Any thread. */
#ifndef MODES_H
#define MODES_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

enum request_mode { MODE_PULL, MODE_POP };

struct message_mode {
	int32_t mode;             /* enum request_mode */
	int32_t pop_share_queues; /* <= 0: every client pops every queue */
};

int modes_new(struct broker *broker, struct modes **ret);
void modes_free(struct modes *modes); /* NULL is fine */
int modes_load(struct modes *modes);  /* as topics_load */
int modes_close(struct modes *modes, struct gantry_op *op);

/* What was set for this topic and group, or what RocketMQ takes if nothing was. */
void modes_get(struct modes *modes, struct gantry_str topic, struct gantry_str group,
	       struct message_mode *ret);
/* The same, but PULL for POP, which is not served yet: whoever is told to pop gets nothing here,
 * and whoever pulls goes on where the group is. */
void modes_served(struct modes *modes, struct gantry_str topic, struct gantry_str group,
		  struct message_mode *ret);
int modes_set(struct modes *modes, struct gantry_str topic, struct gantry_str group,
	      const struct message_mode *mode);
/* MessageRequestModeSerializeWrapper, from malloc. */
int modes_encode(struct modes *modes, unsigned flags, char **ret, size_t *ret_size);

/* As topics_adopt(), with what code 402 answers; all or nothing. */
struct json_doc;
int modes_adopt(struct modes *modes, const struct json_doc *page, char *why, size_t why_size);

const char *mode_name(int32_t mode); /* "PULL" */
int mode_of(struct gantry_str name); /* -EINVAL */

#ifdef __cplusplus
}
#endif
#endif
