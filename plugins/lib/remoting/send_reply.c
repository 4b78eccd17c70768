/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to sends. A message id is the store host's address, its port in 4 bytes, and the
 * message's physical offset, in upper-case hex; a batch's ids are joined by commas. */
#include "reply_head.h"
#include "run.h"
#include "wire.h"

#include <errno.h>
#include <json/json.h>
#include <remoting/send_reply.h>

enum {
	OFFSET_HEX = 16,
	JSON_FIXED_MAX = 288,  /* all but the template, the ids and three texts */
	BINARY_FIXED_MAX = 192 /* likewise */
};

static char *put_hex(char *to, const void *from, size_t size)
{
	const uint8_t *bytes = from;

	for (size_t i = 0; i < size; i++) {
		*to++ = "0123456789ABCDEF"[bytes[i] >> 4];
		*to++ = "0123456789ABCDEF"[bytes[i] & 15];
	}
	return to;
}

static char *put_binary_field(char *to, struct gantry_str name, struct gantry_str value)
{
	to = wire_put_u16(to, (uint16_t)name.size);
	to = wire_put_bytes(to, name.at, name.size);
	to = wire_put_u32(to, (uint32_t)value.size);
	return wire_put_bytes(to, value.at, value.size);
}

#define STR(literal) ((struct gantry_str){literal, sizeof(literal) - 1})

int remoting_send_template_init(struct remoting_send_template *template_, const char *region,
				const char *trace_on, const struct gantry_address *store_host)
{
	struct gantry_str region_str = {region, strlen(region)};
	struct gantry_str trace_str = {trace_on, strlen(trace_on)};
	char port[4];
	char *to;

	if (json_quoted_size(region_str) + json_quoted_size(trace_str) > 256)
		return -E2BIG;
	to = WIRE_PUT(template_->json, ",\"extFields\":{\"MSG_REGION\":");
	to = json_quote(to, region_str);
	to = WIRE_PUT(to, ",\"TRACE_ON\":");
	to = json_quote(to, trace_str);
	template_->json_size = (uint32_t)(to - template_->json);

	to = put_binary_field(template_->binary, STR("MSG_REGION"), region_str);
	to = put_binary_field(to, STR("TRACE_ON"), trace_str);
	template_->binary_size = (uint32_t)(to - template_->binary);

	to = put_hex(template_->host, store_host->ip, store_host->ip_size);
	wire_put_u32(port, store_host->port);
	to = put_hex(to, port, sizeof(port));
	template_->host_size = (uint32_t)(to - template_->host);
	return 0;
}

static size_t ids_size(const struct remoting_send_template *template_,
		       const struct remoting_send_reply *reply)
{
	return reply->offset_count * ((size_t)template_->host_size + OFFSET_HEX + 1);
}

size_t remoting_send_reply_max(const struct remoting_send_template *template_,
			       const struct remoting_send_reply *reply)
{
	size_t texts = 2 * reply->transaction_id.size + reply->remark.size;
	size_t max = REMOTING_PREFIX + ids_size(template_, reply);

	if (reply->serialization == REMOTING_BINARY)
		return max + BINARY_FIXED_MAX + template_->binary_size + texts;
	/* A byte takes at most 6 once escaped. */
	return max + JSON_FIXED_MAX + template_->json_size + 6 * texts;
}

/* At least one id. */
static char *put_ids(char *to, const struct remoting_send_template *template_,
		     const struct remoting_send_reply *reply)
{
	for (uint32_t i = 0; i < reply->offset_count; i++) {
		uint64_t offset = htobe64(reply->offsets[i]);

		to = wire_put_bytes(to, template_->host, template_->host_size);
		to = put_hex(to, &offset, sizeof(offset));
		*to++ = ',';
	}
	return to - 1;
}

static char *put_quoted(char *to, struct gantry_str text)
{
	if (run_end(text.at, text.at + text.size) != text.at + text.size)
		return json_quote(to, text);
	*to++ = '"';
	to = wire_put_bytes(to, text.at, text.size);
	*to++ = '"';
	return to;
}

static char *put_json(char *to, const struct remoting_send_template *template_,
		      const struct remoting_send_reply *reply)
{
	to = WIRE_PUT(to, "{\"code\":");
	to = wire_put_decimal(to, reply->code);
	to = wire_put_bytes(to, template_->json, template_->json_size);
	if (reply->offset_count) {
		to = WIRE_PUT(to, ",\"msgId\":\"");
		to = put_ids(to, template_, reply);
		to = WIRE_PUT(to, "\",\"queueId\":\"");
		to = wire_put_decimal(to, reply->queue);
		to = WIRE_PUT(to, "\",\"queueOffset\":\"");
		to = wire_put_decimal(to, reply->queue_offset);
		*to++ = '"';
		if (reply->transaction_id.size) {
			to = WIRE_PUT(to, ",\"transactionId\":");
			to = put_quoted(to, reply->transaction_id);
		}
		if (reply->inner_batch) {
			to = WIRE_PUT(to, ",\"batchUniqId\":");
			to = put_quoted(to, reply->transaction_id);
		}
	}
	to = WIRE_PUT(to, "},\"flag\":1,\"language\":\"JAVA\",\"opaque\":");
	to = wire_put_decimal(to, reply->opaque);
	if (reply->remark.size) {
		to = WIRE_PUT(to, ",\"remark\":");
		to = json_quote(to, reply->remark);
	}
	to = WIRE_PUT(to, ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
	to = wire_put_decimal(to, REMOTING_VERSION);
	return WIRE_PUT(to, "}");
}

static char *put_binary_number(char *to, struct gantry_str name, int64_t number)
{
	char digits[WIRE_DECIMAL_MAX];
	size_t size = (size_t)(wire_put_decimal(digits, number) - digits);

	return put_binary_field(to, name, (struct gantry_str){digits, size});
}

static char *put_binary_ids(char *to, const struct remoting_send_template *template_,
			    const struct remoting_send_reply *reply)
{
	to = wire_put_u16(to, sizeof("msgId") - 1);
	to = WIRE_PUT(to, "msgId");
	to = wire_put_u32(to, (uint32_t)(ids_size(template_, reply) - 1));
	return put_ids(to, template_, reply);
}

static char *put_binary(char *to, const struct remoting_send_template *template_,
			const struct remoting_send_reply *reply)
{
	char *fields = put_reply_head(to, reply->code, reply->opaque, reply->remark);

	to = wire_put_bytes(fields + 4, template_->binary, template_->binary_size);
	if (reply->offset_count) {
		to = put_binary_ids(to, template_, reply);
		to = put_binary_number(to, STR("queueId"), reply->queue);
		to = put_binary_number(to, STR("queueOffset"), reply->queue_offset);
		if (reply->transaction_id.size)
			to = put_binary_field(to, STR("transactionId"), reply->transaction_id);
		if (reply->inner_batch)
			to = put_binary_field(to, STR("batchUniqId"), reply->transaction_id);
	}
	wire_put_u32(fields, (uint32_t)(to - fields - 4));
	return to;
}

size_t remoting_send_reply_encode(const struct remoting_send_template *template_,
				  const struct remoting_send_reply *reply, void *to)
{
	char *start = to, *from = start + REMOTING_PREFIX;
	char *end = reply->serialization == REMOTING_BINARY ? put_binary(from, template_, reply)
							    : put_json(from, template_, reply);

	wire_put_prefix(start, reply->serialization, (size_t)(end - from), 0);
	return (size_t)(end - start);
}
