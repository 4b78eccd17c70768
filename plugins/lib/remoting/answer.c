/* SPDX-License-Identifier: Apache-2.0 */
/* Packets out of requests, and what comes back: answers that are matched by opaque, and requests
 * of the other side. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { JSON_FIELD_MIN = 4, CODE_NOT_SUPPORTED = 3 };

struct packet *remoting_packet_new(const struct remoting_header *header, struct gantry_str body)
{
	size_t max = remoting_encoded_max(header);
	struct packet *packet;

	if (body.size > REMOTING_FRAME_MAX || max > REMOTING_FRAME_MAX)
		return NULL;
	packet = malloc(sizeof(*packet) + max + body.size);
	if (!packet)
		return NULL;
	packet->size = remoting_encode(header, body.size, packet->bytes);
	if (body.size)
		memcpy(packet->bytes + packet->size, body.at, body.size);
	packet->size += body.size;
	return packet;
}

/* One block of memory: fields, room for text, header and body. Decodes into it. */
static int decode_copy(const struct remoting_frame *frame, void **ret_memory,
		       struct remoting_header *ret_header, struct gantry_str *ret_body,
		       const char **why)
{
	size_t fields = frame->header.size / JSON_FIELD_MIN + 1;
	size_t text = frame->header.size + REMOTING_SLACK;
	struct remoting_scratch scratch = {0};
	struct remoting_frame copy = *frame;
	struct gantry_field *memory;
	char *bytes;
	int code;

	if (fields > REMOTING_FIELDS_MAX)
		fields = REMOTING_FIELDS_MAX;
	memory = malloc(fields * sizeof(*memory) + text + frame->size);
	if (!memory)
		return -ENOMEM;
	scratch = (struct remoting_scratch){.fields = memory,
					    .field_room = (uint32_t)fields,
					    .text = (char *)(memory + fields),
					    .text_room = text};
	bytes = scratch.text + text;
	memcpy(bytes, frame->header.at, frame->header.size + frame->body.size);
	copy.header.at = bytes;
	if (copy.body.at)
		copy.body.at = bytes + copy.header.size;
	code = remoting_header_decode(&copy, &scratch, ret_header, why);
	if (code) {
		free(memory);
		return code;
	}
	*ret_memory = memory;
	*ret_body = copy.body;
	return 0;
}

static void take_answer(struct link *link, struct remoting_header *header, void *memory,
			struct gantry_str body)
{
	struct pending *pending = link->first;

	while (pending && (pending->opaque != header->opaque || pending->packet))
		pending = pending->next;
	if (!pending) { /* too late */
		free(memory);
		return;
	}
	link->failures = 0;
	pending->request->reply = *header;
	pending->request->ret_body = body;
	pending->request->ret_memory = memory;
	remoting_pending_finish(pending, 0);
}

/* The incoming call may give the link up: only the connection is sure to be there after it. */
static int take_request(struct link *link, const struct remoting_header *header,
			struct gantry_str body)
{
	const struct remoting_client_spec *spec = &link->client->spec;
	struct connection *connection = link->connection;
	struct remoting_header answer = {.code = CODE_NOT_SUPPORTED,
					 .language = spec->language,
					 .version = spec->version,
					 .opaque = header->opaque,
					 .flag = REMOTING_RESPONSE,
					 .serialization = header->serialization};
	struct packet *packet;

	if (spec->incoming)
		answer.code = spec->incoming(spec->user, link->address, header, body);
	if (header->flag & REMOTING_ONE_WAY)
		return 0;
	packet = remoting_packet_new(&answer, (struct gantry_str){0});
	return packet ? remoting_connection_answer(connection, packet) : -ENOMEM;
}

int remoting_link_frame(struct link *link, const struct remoting_frame *frame, const char **why)
{
	struct remoting_header header;
	struct gantry_str body;
	void *memory;
	int code = decode_copy(frame, &memory, &header, &body, why);

	if (code)
		return code;
	if (header.flag & REMOTING_RESPONSE) {
		take_answer(link, &header, memory, body);
		return 0;
	}
	code = take_request(link, &header, body);
	free(memory);
	return code;
}
