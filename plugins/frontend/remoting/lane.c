/* SPDX-License-Identifier: Apache-2.0 */
/* A lane: what this front-end has on one event loop. Its buffers, the alarm that finds idle
 * connections and late asks, what is parked, and how it comes to rest. */
#include "remoting.h"

#include <errno.h>
#include <stdlib.h>

/* ---- lists */

static void list_init(struct link *list)
{
	list->next = list->previous = list;
}

void list_append(struct link *list, struct link *item)
{
	item->next = list;
	item->previous = list->previous;
	list->previous->next = item;
	list->previous = item;
}

void list_remove(struct link *item)
{
	item->next->previous = item->previous;
	item->previous->next = item->next;
}

#define OF(type, member, at) ((type *)(void *)((char *)(at)-offsetof(type, member)))

/* ---- the alarm */

/* Whether its socket took something since it was last asked, of a write that is not done. */
static bool has_moved(struct connection *c)
{
	size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
	bool moved = left && (!c->left || left < c->left);

	c->left = left;
	return moved;
}

static void ring(uv_timer_t *timer)
{
	struct lane *lane = timer->data;
	uint64_t now = gantry_clock_ms(), idle_ms = (uint64_t)lane->front->conf->idle_s * 1000;
	uint64_t due;

	lane->alarm_ms = 0;
	while (lane->open.next != &lane->open) {
		struct connection *c = OF(struct connection, in_open, lane->open.next);

		if (c->traffic_ms + idle_ms > now)
			break;
		if (has_moved(c))
			conn_touch(c);
		else
			conn_close(c);
	}
	due = asks_late(lane, now);
	if (lane->open.next != &lane->open) {
		struct connection *c = OF(struct connection, in_open, lane->open.next);

		if (c->traffic_ms + idle_ms < due)
			due = c->traffic_ms + idle_ms;
	}
	if (due != UINT64_MAX)
		lane_alarm_by(lane, due);
}

int lane_alarm_make(struct lane *lane)
{
	int code;

	if (lane->alarm_made)
		return 0;
	code = uv_timer_init(gantry_loop_uv(lane->loop), &lane->alarm);
	if (code)
		return code;
	lane->alarm.data = lane;
	lane->alarm_made = true;
	lane->handles++;
	gantry_loop_own(lane->front->inst, (uv_handle_t *)&lane->alarm);
	return 0;
}

void lane_alarm_by(struct lane *lane, uint64_t at_ms)
{
	uint64_t now = gantry_clock_ms();

	if (lane->stopping || (lane->alarm_ms && lane->alarm_ms <= at_ms))
		return;
	lane->alarm_ms = at_ms;
	uv_update_time(lane->alarm.loop);
	uv_timer_start(&lane->alarm, ring, at_ms > now ? at_ms - now : 0, 0);
}

/* ---- parked requests */

void park(struct lane *lane, struct parked *parked, uint32_t requests)
{
	conn_hold(parked->connection);
	list_append(&lane->waiting, &parked->in_waiting);
	lane->parked += requests;
}

void unpark(struct lane *lane, struct parked *parked, uint32_t requests)
{
	list_remove(&parked->in_waiting);
	lane->parked -= requests;
}

/* ---- coming to rest */

static void report(struct rest *rest, bool *told)
{
	if (*told)
		return;
	*told = true;
	if (atomic_fetch_sub(&rest->left, 1) == 1)
		gantry_op_finish(rest->op, 0, 0);
}

/* A stop ends a drain that was cut short, too. */
void lane_report(struct lane *lane)
{
	struct front *front = lane->front;

	if (lane->draining && (lane->parked_sends == 0 || lane->stopping))
		report(&front->drained, &lane->drain_told);
	if (lane->stopping && lane->handles == 0 && lane->parked == 0)
		report(&front->stopped, &lane->stop_told);
}

/* New requests are answered GO_AWAY from here on. Sends that are under way are waited for; what
 * waits for messages is given up. */
static void lane_drain(struct gantry_task *task)
{
	struct lane *lane = task->user;
	struct link *at, *next;

	lane->draining = true;
	for (at = lane->waiting.next; at != &lane->waiting; at = next) {
		next = at->next;
		gantry_op_cancel(&OF(struct parked, in_waiting, at)->op);
	}
	lane_report(lane);
}

static void alarm_closed(uv_handle_t *handle)
{
	struct lane *lane = handle->data;

	lane->handles--;
	lane_report(lane);
}

static void lane_stop(struct gantry_task *task)
{
	struct lane *lane = task->user;

	lane->stopping = true;
	while (lane->open.next != &lane->open)
		conn_close(OF(struct connection, in_open, lane->open.next));
	if (lane->alarm_made)
		uv_close((uv_handle_t *)&lane->alarm, alarm_closed);
	lane_report(lane);
}

/* ---- made and freed */

/* Buffers that nobody touches yet cost address space only. The scratch holds the texts of all that
 * one read may bring, or of one header that is as large as may be. */
int lane_make(struct lane *lane, struct front *front, struct gantry_loop *loop)
{
	struct remoting_scratch *scratch = &lane->scratch;
	size_t text = front->limits.header > IN_SIZE ? front->limits.header : IN_SIZE;

	lane->front = front;
	lane->loop = loop;
	lane->drain_task = (struct gantry_task){.run = lane_drain, .user = lane};
	lane->stop_task = (struct gantry_task){.run = lane_stop, .user = lane};
	list_init(&lane->open);
	list_init(&lane->waiting);
	lane->in = malloc(IN_SIZE);
	lane->out = malloc(OUT_SIZE);
	lane->parts = malloc((OUT_PARTS + 1) * sizeof(*lane->parts));
	lane->leases = malloc(OUT_PARTS * sizeof(*lane->leases));
	scratch->text_room = text + REMOTING_SLACK;
	scratch->text = malloc(scratch->text_room);
	scratch->field_room = REMOTING_FIELDS_MAX;
	scratch->fields = malloc(REMOTING_FIELDS_MAX * sizeof(*scratch->fields));
	if (!lane->in || !lane->out || !lane->parts || !lane->leases)
		return -ENOMEM;
	return scratch->text && scratch->fields ? 0 : -ENOMEM;
}

void lane_free(struct lane *lane)
{
	free(lane->in);
	free(lane->out);
	free(lane->parts);
	free(lane->leases);
	free(lane->scratch.text);
	free(lane->scratch.fields);
	pool_free_slabs(lane);
}
