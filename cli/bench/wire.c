/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the load generator: buffers, slots, and the frames that go through them. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../link.h"

enum { IN_ROOM = 256 * 1024, OUT_ROOM = 256 * 1024, CONNECT_MS = 3000 };

uint64_t load_clock_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A connected, non-blocking socket; the name is resolved and awaited as for any other link. */
static int connect_socket(const char *address)
{
	struct link *link;
	int failed = link_open(address, CONNECT_MS, &link);
	if (failed)
		return failed;
	int fd = fcntl(link_fd(link), F_DUPFD_CLOEXEC, 0);
	int error = errno;
	link_close(link);
	return fd < 0 ? -error : fd;
}

static size_t clamp(size_t value, size_t low, size_t high)
{
	return value < low ? low : value > high ? high : value;
}

int wire_open(struct load *load, struct wire *wire, const struct wire_kind *kind, uint32_t target,
	      uint32_t slots, size_t frame_max)
{
	*wire = (struct wire){.kind = kind,
			      .fd = connect_socket(load->targets[target]),
			      .target = target,
			      .slot_count = slots,
			      .free_count = slots,
			      .frame_max = frame_max,
			      .in_room = IN_ROOM,
			      .out_room = clamp(slots * frame_max, frame_max,
						frame_max > OUT_ROOM ? frame_max : OUT_ROOM)};
	if (wire->fd < 0)
		return wire->fd;
	while (load->queues[wire->queue].target != target)
		wire->queue++;
	wire->slots = calloc(slots, sizeof(*wire->slots));
	wire->free = calloc(slots, sizeof(*wire->free));
	wire->in = malloc(wire->in_room);
	wire->out = malloc(wire->out_room);
	if (!wire->slots || !wire->free || !wire->in || !wire->out)
		return -ENOMEM;
	for (uint32_t i = 0; i < slots; i++)
		wire->free[i] = slots - 1 - i;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = wire};
	return epoll_ctl(load->epoll, EPOLL_CTL_ADD, wire->fd, &event) ? -errno : 0;
}

void wire_close(struct wire *wire)
{
	if (wire->fd >= 0)
		close(wire->fd);
	free(wire->slots);
	free(wire->free);
	free(wire->in);
	free(wire->out);
}

/* Opaques go up through the slots' own residue class, so that an answer names its slot and an
 * answer that comes twice fits none. */
static int32_t next_opaque(struct wire *wire, uint32_t slot)
{
	uint32_t turns = (PREBUILT_OPAQUE_MAX - PREBUILT_OPAQUE_MIN) / wire->slot_count;
	uint32_t turn = wire->turn++ % turns;
	return (int32_t)(PREBUILT_OPAQUE_MIN + turn * wire->slot_count + slot);
}

bool wire_ask(struct load *load, struct wire *wire, uint64_t due_ns)
{
	if (!wire->free_count || wire->out_room - wire->out_size < wire->frame_max)
		return false;
	uint32_t index = wire->free[--wire->free_count];
	struct slot *slot = &wire->slots[index];
	slot->due_ns = due_ns;
	slot->opaque = next_opaque(wire, index);
	slot->busy = true;
	wire->out_size += wire->kind->ask(load, wire, slot, wire->out + wire->out_size);
	if (!wire->dirty) {
		wire->dirty = true;
		load->dirty[load->dirty_count++] = (uint32_t)(wire - load->wires);
	}
	return true;
}

/* Asks to be told when the socket takes bytes again, or no longer. */
static int want_out(struct load *load, struct wire *wire, bool wanted)
{
	if (wire->wants_out == wanted)
		return 0;
	struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0u), .data.ptr = wire};
	wire->wants_out = wanted;
	return epoll_ctl(load->epoll, EPOLL_CTL_MOD, wire->fd, &event) ? -errno : 0;
}

int wire_flush(struct load *load, struct wire *wire)
{
	while (wire->out_sent < wire->out_size) {
		ssize_t n = send(wire->fd, wire->out + wire->out_sent,
				 wire->out_size - wire->out_sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return want_out(load, wire, true);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			wire->out_sent += (size_t)n;
	}
	wire->out_sent = wire->out_size = 0;
	return want_out(load, wire, false);
}

static int take_answer(struct load *load, struct wire *wire, const struct remoting_frame *frame)
{
	struct reply reply;
	int failed = reply_read(frame, &load->hint, &reply);
	if (failed)
		return failed;
	uint32_t index = (uint32_t)(reply.opaque - PREBUILT_OPAQUE_MIN) % wire->slot_count;
	struct slot *slot = &wire->slots[index];
	if (!slot->busy || slot->opaque != reply.opaque)
		return 0; /* a request of the broker's own */
	slot->busy = false;
	wire->free[wire->free_count++] = index;
	if (wire->kind->counted)
		load->counts.answered++;
	wire->kind->answer(load, slot, frame, &reply);
	return 0;
}

/* Grows the buffer for a frame that is larger than it. */
static int make_room(struct wire *wire, size_t frame_size)
{
	if (frame_size <= wire->in_room)
		return 0;
	uint8_t *larger = realloc(wire->in, frame_size);
	if (!larger)
		return -ENOMEM;
	wire->in = larger;
	wire->in_room = frame_size;
	return 0;
}

int wire_read(struct load *load, struct wire *wire)
{
	ssize_t n = recv(wire->fd, wire->in + wire->in_size, wire->in_room - wire->in_size, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	wire->in_size += (size_t)n;
	load->now_ns = load_clock_ns();
	size_t at = 0;
	struct remoting_frame frame;
	int64_t need;
	while ((need = remoting_frame_cut(NULL, wire->in + at, wire->in_size - at, &frame, NULL)) ==
	       0) {
		int failed = take_answer(load, wire, &frame);
		if (failed)
			return failed;
		at += frame.size;
	}
	wire->in_size -= at;
	memmove(wire->in, wire->in + at, wire->in_size);
	return need < 0 ? -EPROTO : make_room(wire, (size_t)need);
}
