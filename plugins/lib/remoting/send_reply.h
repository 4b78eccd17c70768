/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to sends, the one kind of answer that is encoded hundreds of thousands of times a
 * second: what is the same in all of them is prepared once. */
#ifndef REMOTING_SEND_REPLY_H
#define REMOTING_SEND_REPLY_H

#include <remoting/codec.h>

GANTRY_BEGIN

/* Prepared parts; plain memory that may be copied. */
struct remoting_send_template {
	uint32_t json_size, binary_size, host_size;
	char json[320];   /* ,"extFields":{"MSG_REGION":"...","TRACE_ON":"true" */
	char binary[320]; /* the same two fields */
	char host[40];    /* of message ids: address and port in hex */
};

struct remoting_send_reply {
	int32_t code, opaque, queue;
	uint32_t serialization;
	int64_t queue_offset;
	const uint64_t *offsets; /* physical, one for each message stored; none: an error */
	uint32_t offset_count;
	uint32_t inner_batch; /* 1: the batch is one message; its id is told as batchUniqId, too */
	struct gantry_str transaction_id, remark; /* absent or "" for none */
};

/* -E2BIG: the region is too long. store_host: whose address message ids hold. */
int remoting_send_template_init(struct remoting_send_template *template_, const char *region,
				const char *trace_on, const struct gantry_address *store_host);

/* As remoting_encoded_max() and remoting_encode(); there is no body. */
size_t remoting_send_reply_max(const struct remoting_send_template *template_,
			       const struct remoting_send_reply *reply);
size_t remoting_send_reply_encode(const struct remoting_send_template *template_,
				  const struct remoting_send_reply *reply, void *to);

GANTRY_END
#endif
