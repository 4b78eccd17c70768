/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator's clock and loop. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../ask.h"
#include "../cli.h"

enum { EVENTS = 256 };

static const uint64_t second_ns = 1000000000, drain_ns = UINT64_C(5) * 1000000000;

/* ---- wires */

static uint32_t queues_of(const struct load *load, uint32_t target)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < load->queue_count; i++)
		count += load->queues[i].target == target;
	return count;
}

static int open_wires(struct load *load, const struct wire_kind *kind, uint32_t count,
		      uint32_t slots, size_t frame_max)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t target = i % load->target_count, ahead;
		struct wire *wire = &load->wires[load->wire_count++];
		int failed = wire_open(load, wire, kind, target, slots, frame_max);
		if (failed) {
			cli_error("connection %u of %u to %s: %s", i + 1, count,
				  load->targets[target], g_strerror(-failed));
			return CLI_UNREACHABLE;
		}
		/* connections of one broker begin with queues far apart */
		ahead = (uint32_t)((uint64_t)queues_of(load, target) * i / count);
		if (kind == &load_sender || kind == &load_router)
			wire->queue += ahead;
	}
	return 0;
}

/* Deals the queues of the wire's broker out to its slots in turn. */
static void deal_queues(const struct load *load, struct wire *wire)
{
	for (uint32_t i = 0; i < wire->slot_count; i++) {
		wire->slots[i].queue = wire->queue;
		wire->slots[i].offset = load->queues[wire->queue].start;
		wire->queue = load->queues[wire->queue].next;
	}
}

static size_t send_frame_max(const struct load *load)
{
	size_t max = 0;
	for (uint32_t i = 0; i < load->queue_count; i++)
		if (load->queues[i].send.size > max)
			max = load->queues[i].send.size;
	return max;
}

/* One waiting connection for each broker, with a slot for each of its queues. */
static int open_waiters(struct load *load)
{
	for (uint32_t t = 0; t < load->target_count; t++) {
		struct wire *wire = &load->wires[load->wire_count++];
		int failed = wire_open(load, wire, &load_waiter, t, queues_of(load, t),
				       LOAD_PULL_FRAME_MAX);
		if (failed) {
			cli_error("connection to %s: %s", load->targets[t], g_strerror(-failed));
			return CLI_UNREACHABLE;
		}
		deal_queues(load, wire);
	}
	return 0;
}

int load_connect(struct load *load)
{
	const struct load_conf *conf = load->conf;
	bool pulls = conf->mode == LOAD_PULL, routes = conf->mode == LOAD_ROUTE;
	uint32_t most = conf->connections + load->target_count;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->wires = calloc(most, sizeof(*load->wires));
	load->dirty = calloc(most, sizeof(*load->dirty));
	if (load->epoll < 0 || !load->wires || !load->dirty) {
		cli_error("preparing %u connections: %s", most, g_strerror(errno));
		return CLI_FAILED;
	}
	int failed = open_wires(load,
				pulls    ? &load_puller
				: routes ? &load_router
					 : &load_sender,
				conf->connections, conf->in_flight,
				pulls    ? LOAD_PULL_FRAME_MAX
				: routes ? LOAD_ROUTE_FRAME_MAX
					 : send_frame_max(load));
	load->paced_count = load->wire_count;
	for (uint32_t i = 0; pulls && !failed && i < load->wire_count; i++)
		deal_queues(load, &load->wires[i]);
	if (!failed && conf->mode == LOAD_LATENCY)
		failed = open_waiters(load);
	return failed;
}

void load_close(struct load *load)
{
	for (uint32_t i = 0; i < load->wire_count; i++)
		wire_close(&load->wires[i]);
	free(load->wires);
	free(load->dirty);
	if (load->wires)
		close(load->epoll);
	load->wire_count = 0;
}

/* ---- counting */

void load_timed(struct load *load, uint64_t due_ns)
{
	if (load->measuring && due_ns >= load->measure_ns)
		histogram_add(&load->latency, load->now_ns - due_ns);
}

void load_refused(struct load *load, const struct remoting_frame *frame)
{
	size_t size = frame->header.size;
	load->refused++;
	load->counts.refused++;
	if (load->refused_why[0])
		return;
	if (size >= sizeof(load->refused_why))
		size = sizeof(load->refused_why) - 1;
	memcpy(load->refused_why, frame->header.at, size);
}

static void begin_rate(struct load *load)
{
	load->rate_ns = load->now_ns;
	load->rate_from = load->started;
	load->rate_begins = true;
}

/* What the warm-up could not keep up with is forgotten: the rate begins anew. */
static void begin_measuring(struct load *load)
{
	begin_rate(load);
	load->measuring = true;
	load->measure_ns = load->now_ns;
	load->counts = (struct load_counts){0};
	histogram_clear(&load->latency);
	usage_read(getpid(), &load->self_before);
	if (load->conf->pid)
		usage_read(load->conf->pid, &load->pid_before);
}

static void end_measuring(struct load *load)
{
	load->stopping = true;
	load->measured_ns = load->now_ns - load->measure_ns;
	load->end_ns = load->now_ns;
	load->window = load->counts;
	usage_read(getpid(), &load->self_after);
	if (load->conf->pid)
		usage_read(load->conf->pid, &load->pid_after);
}

/* ---- asking */

static uint64_t due_at(const struct load *load, uint64_t request)
{
	uint64_t rate = load->conf->rate, number = request - load->rate_from;
	return load->rate_ns + number / rate * second_ns + number % rate * second_ns / rate;
}

static bool all_came(const struct load *load)
{
	return load->conf->mode != LOAD_LATENCY || load->delivered + load->refused >= load->started;
}

/* Whether one more request may start now; due_ns is when it was due. Waiters go on until all is
 * delivered that was sent. */
static bool may_start(const struct load *load, const struct wire_kind *kind, uint64_t *ret_due_ns)
{
	*ret_due_ns = load->now_ns;
	if (!kind->counted)
		return !load->stopping || !all_came(load);
	if (load->stopping ||
	    (load->conf->count && load->measuring && load->counts.asked >= load->conf->count))
		return false;
	if (!load->conf->rate)
		return true;
	*ret_due_ns = due_at(load, load->started);
	return *ret_due_ns <= load->now_ns;
}

static bool ask_once(struct load *load, struct wire *wire)
{
	uint64_t due_ns;
	if (!may_start(load, wire->kind, &due_ns) || !wire_ask(load, wire, due_ns))
		return false;
	if (wire->kind->counted) {
		load->started++;
		load->counts.asked++;
	}
	return true;
}

/* Closed loop, and waiters: every free slot. */
static void ask_all(struct load *load, struct wire *wire)
{
	while (ask_once(load, wire))
		;
}

/* Open loop: what is due by now, over the connections in turn. */
static void ask_due(struct load *load)
{
	uint32_t refused = 0;
	while (refused < load->paced_count) {
		struct wire *wire = &load->wires[load->next_wire];
		load->next_wire = (load->next_wire + 1) % load->paced_count;
		refused = ask_once(load, wire) ? 0 : refused + 1;
	}
}

static bool is_paced(const struct load *load, const struct wire *wire)
{
	return wire->kind->counted && load->conf->rate;
}

/* Sends what all wires have; what finds room now is asked at once. */
static int flush_dirty(struct load *load)
{
	for (uint32_t i = 0; i < load->dirty_count; i++) {
		struct wire *wire = &load->wires[load->dirty[i]];
		do {
			int failed = wire_flush(load, wire);
			if (failed)
				return failed;
			if (!wire->wants_out && !is_paced(load, wire))
				ask_all(load, wire);
		} while (wire->out_size && !wire->wants_out);
		wire->dirty = false;
	}
	load->dirty_count = 0;
	return 0;
}

/* ---- the loop */

static uint64_t in_flight(const struct load *load)
{
	uint64_t busy = 0;
	for (uint32_t i = 0; i < load->wire_count; i++)
		if (load->wires[i].kind->counted)
			busy += load->wires[i].slot_count - load->wires[i].free_count;
	return busy;
}

static bool count_reached(const struct load *load)
{
	return load->conf->count && load->counts.answered >= load->conf->count;
}

/* Moves from warm-up to measuring to stopping as the time comes; false when all is over. */
static bool advance(struct load *load)
{
	const struct load_conf *conf = load->conf;
	if (!load->measuring && load->now_ns >= load->begin_ns + conf->warmup_ns)
		begin_measuring(load);
	bool time_is_up = load->measuring && load->now_ns >= load->measure_ns + conf->duration_ns;
	if (load->measuring && !load->stopping &&
	    (time_is_up || count_reached(load) || cli_interrupted()))
		end_measuring(load);
	if (!load->stopping)
		return true;
	return load->now_ns < load->end_ns + drain_ns && (in_flight(load) || !all_came(load));
}

/* How long nothing has to be done unless something comes in. */
static uint64_t idle_ns(const struct load *load)
{
	const struct load_conf *conf = load->conf;
	uint64_t until = load->now_ns + second_ns / 10;
	if (load->rate_begins) /* the first request is due now, and no timer stands for it */
		return 0;
	uint64_t next = !load->measuring  ? load->begin_ns + conf->warmup_ns
			: !load->stopping ? load->measure_ns + conf->duration_ns
					  : load->end_ns + drain_ns;
	if (next < until)
		until = next;
	if (conf->rate && !load->stopping && due_at(load, load->started) < until &&
	    due_at(load, load->started) > load->now_ns)
		until = due_at(load, load->started);
	return until > load->now_ns ? until - load->now_ns : 0;
}

/* What is asked for goes out at once: the broker need not wait until other wires were read. */
static int take_event(struct load *load, const struct epoll_event *event)
{
	struct wire *wire = event->data.ptr;
	int failed = 0;
	if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		failed = wire_read(load, wire);
	if (!failed && event->events & EPOLLOUT)
		failed = wire_flush(load, wire);
	if (!failed && !is_paced(load, wire)) {
		ask_all(load, wire);
		failed = flush_dirty(load);
	}
	if (failed)
		cli_error("connection to %s: %s", load->targets[wire->target],
			  failed == -EPIPE ? "the broker closed it" : g_strerror(-failed));
	return failed;
}

static int turn(struct load *load)
{
	struct epoll_event events[EVENTS];
	uint64_t wait = load->conf->spin ? 0 : idle_ns(load);
	struct timespec timeout = {.tv_sec = (time_t)(wait / second_ns),
				   .tv_nsec = (long)(wait % second_ns)};
	int count = epoll_pwait2(load->epoll, events, EVENTS, &timeout, NULL);
	if (count < 0 && errno != EINTR)
		return -errno;
	load->now_ns = load_clock_ns();
	load->wall_ms = cli_now_ms();
	load->rate_begins = false;
	for (int i = 0; i < count; i++) {
		int failed = take_event(load, &events[i]);
		if (failed)
			return failed;
	}
	if (load->conf->rate)
		ask_due(load);
	return flush_dirty(load);
}

/* Groups stay known to brokers only as long as heartbeats come. */
static void keep_members(struct load *load)
{
	const uint64_t pause_ns = 30 * second_ns;
	if (load->conf->mode == LOAD_SEND || load->conf->mode == LOAD_ROUTE ||
	    load->now_ns - load->heartbeat_ns < pause_ns)
		return;
	load->heartbeat_ns = load->now_ns;
	for (uint32_t t = 0; t < load->target_count; t++)
		ask_heartbeat_unanswered(load->links[t], &load->member);
}

static void show(struct load *load)
{
	enum { PAUSE_NS = 200000000 };
	if (load->now_ns - load->shown_ns < PAUSE_NS)
		return;
	load->shown_ns = load->now_ns;
	double seconds = (double)(load->now_ns - load->measure_ns) / (double)second_ns;
	if (load->stopping)
		cli_progress("waiting for the last answers");
	else if (!load->measuring)
		cli_progress("warming up: %llu requests", (unsigned long long)load->started);
	else
		cli_progress("%.1f s: %llu messages, %.0f a second, p99 %.0f us", seconds,
			     (unsigned long long)load->counts.messages,
			     (double)load->counts.messages / (seconds > 0 ? seconds : 1),
			     (double)histogram_at(&load->latency, 99) / 1000);
}

/* What is not asked for at a rate: every free slot. */
static int ask_unpaced(struct load *load)
{
	for (uint32_t i = 0; i < load->wire_count; i++)
		if (!is_paced(load, &load->wires[i]))
			ask_all(load, &load->wires[i]);
	return flush_dirty(load);
}

/* Consumers wait before the first message is due. A pull that is held has no answer that would say
 * that it has arrived. */
static int wait_for_waiters(struct load *load)
{
	const struct timespec pause = {.tv_nsec = (long)(second_ns / 20)};
	int failed = ask_unpaced(load);
	nanosleep(&pause, NULL);
	return failed;
}

int load_run(struct load *load)
{
	int failed = 0;
	prctl(PR_SET_TIMERSLACK, 1UL); /* ns: the rate's timer is not to be rounded up */
	load->wall_ms = cli_now_ms();
	load->now_ns = load_clock_ns();
	if (load->conf->mode == LOAD_LATENCY)
		failed = wait_for_waiters(load);
	load->now_ns = load->begin_ns = load_clock_ns();
	begin_rate(load);
	if (load->conf->warmup_ns == 0)
		begin_measuring(load);
	failed = failed ? failed : ask_unpaced(load);
	while (!failed && advance(load)) {
		failed = turn(load);
		keep_members(load);
		show(load);
	}
	cli_progress_end();
	if (load->conf->mode == LOAD_LATENCY)
		load->window = load->counts;
	return failed ? CLI_UNREACHABLE : 0;
}
