/* SPDX-License-Identifier: Apache-2.0 */
/* The load of producers: sends, over the topic's queues in turn. */
#include "load.h"

enum { CACHE_LINE = 64 };

/* With very many queues their frames are in no cache of the processor; waiting for each would count
 * as the broker's slowness. */
static void expect(const struct load_queue *queue)
{
	for (uint32_t at = 0; at < queue->send.size && at < 16 * CACHE_LINE; at += CACHE_LINE)
		__builtin_prefetch(queue->send.frame + at);
}

static size_t write_send(struct load *load, struct wire *wire, struct slot *slot, uint8_t *to)
{
	const struct load_queue *queue = &load->queues[wire->queue];
	slot->queue = wire->queue;
	wire->queue = queue->next;
	expect(&load->queues[load->queues[wire->queue].next]);
	prebuilt_write(&queue->send, to, slot->opaque, load->wall_ms, load->unique++, slot->due_ns);
	return queue->send.size;
}

static void take_sent(struct load *load, struct slot *slot, const struct remoting_frame *frame,
		      const struct reply *reply)
{
	if (reply->code != 0) {
		load_refused(load, frame);
		return;
	}
	if (load->conf->mode == LOAD_LATENCY)
		return; /* what counts there is the delivery */
	load->counts.messages++;
	load->counts.bytes += load->conf->size;
	load_timed(load, slot->due_ns);
}

const struct wire_kind load_sender = {.ask = write_send, .answer = take_sent, .counted = true};
