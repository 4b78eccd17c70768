/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: what the files of this folder share. */
#ifndef REPLY_H
#define REPLY_H

#include "requests/call.h"

/* The fields of a SEND_REPLY_MESSAGE, in the order of their letters in the second version. */
enum reply_field {
	REPLY_GROUP,
	REPLY_TOPIC,
	REPLY_DEFAULT_TOPIC,
	REPLY_DEFAULT_QUEUES,
	REPLY_QUEUE,
	REPLY_SYS_FLAG,
	REPLY_BORN,
	REPLY_FLAG,
	REPLY_PROPERTIES,
	REPLY_RECONSUME_TIMES,
	REPLY_UNIT_MODE,
	REPLY_FIELDS
};

struct reply_request {
	struct gantry_str fields[REPLY_FIELDS]; /* at NULL: absent; borrowed */
	struct gantry_send send;                /* the same as numbers, for the checks of a send */
	struct gantry_str to;                   /* REPLY_TO_CLIENT; at NULL: absent */
};

/* The name of a field in the first version. */
const char *reply_field_name(enum reply_field field);
/* Reads the request; -EINVAL: it is answered. */
int reply_read(struct gantry_call *call, struct reply_request *ret);

/* The properties that the request came with and RocketMQ's buildMsgContext() adds to. Room for
 * reply_properties_room() bytes; returns how many were written. */
size_t reply_properties_room(const struct broker *broker, struct gantry_str properties);
size_t reply_properties_write(const struct broker *broker, struct gantry_str properties, char *to,
			      size_t room);

#endif
