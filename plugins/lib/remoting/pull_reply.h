/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to pulls: one message may be given to thousands of consumers that wait, each with a
 * header of its own whose names never need to be looked at. */
#ifndef REMOTING_PULL_REPLY_H
#define REMOTING_PULL_REPLY_H

#include <remoting/codec.h>
#include <stdbool.h>

GANTRY_BEGIN

struct remoting_pull_reply {
	int32_t code, opaque;
	uint32_t serialization;
	bool has_offsets;                       /* the next four are told */
	int64_t suggest_broker_id;              /* suggestWhichBrokerId */
	int64_t next, min, max;                 /* nextBeginOffset, minOffset, maxOffset */
	int32_t topic_sys_flag, group_sys_flag; /* below 0: not told */
	int32_t forbidden_type;                 /* 0: not told */
	struct gantry_str remark;               /* absent or "" for none */
};

/* As remoting_encoded_max() and remoting_encode(). */
size_t remoting_pull_reply_max(const struct remoting_pull_reply *reply);
size_t remoting_pull_reply_encode(const struct remoting_pull_reply *reply, size_t body_size,
				  void *to);

GANTRY_END
#endif
