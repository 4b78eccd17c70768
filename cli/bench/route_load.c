/* SPDX-License-Identifier: Apache-2.0 */
/* The load of clients at a name server: routes of many topics in turn, as a client asks for them.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "prebuilt.h"

static void put_number(uint8_t *to, uint32_t number)
{
	for (int i = 3; i >= 0; i--, number >>= 8)
		to[i] = (uint8_t)number;
}

static size_t write_query(struct load *load, struct wire *wire, struct slot *slot, uint8_t *to)
{
	enum { HEAD = 8, LENGTH = 4 };
	const struct load_queue *queue = &load->queues[wire->queue];
	slot->queue = wire->queue;
	wire->queue = queue->next;
	int size = snprintf((char *)to + HEAD, LOAD_ROUTE_FRAME_MAX - HEAD,
			    "{\"code\":105,\"flag\":0,\"language\":\"JAVA\",\"opaque\":%d,"
			    "\"serializeTypeCurrentRPC\":\"JSON\",\"version\":513,\"extFields\":"
			    "{\"topic\":\"%s\",\"acceptStandardJsonOnly\":\"true\"}}",
			    slot->opaque, queue->topic);
	put_number(to, (uint32_t)size + LENGTH);
	put_number(to + LENGTH, (uint32_t)size);
	return HEAD + (size_t)size;
}

static void take_route(struct load *load, struct slot *slot, const struct remoting_frame *frame,
		       const struct reply *reply)
{
	if (reply->code != 0) {
		load_refused(load, frame);
		return;
	}
	load->counts.messages++;
	load->counts.bytes += frame->body.size;
	load_timed(load, slot->due_ns);
}

const struct wire_kind load_router = {.ask = write_query, .answer = take_route, .counted = true};
