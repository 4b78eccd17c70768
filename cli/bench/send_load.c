/* SPDX-License-Identifier: Apache-2.0 */
/* The load of producers: sends, over the topic's queues in turn. */
#include "load.h"

static size_t write_send(struct load *load, struct wire *wire, struct slot *slot, uint8_t *to)
{
	const struct load_queue *queue = &load->queues[wire->queue];
	slot->queue = wire->queue;
	wire->queue = queue->next;
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
