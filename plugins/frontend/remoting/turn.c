/* SPDX-License-Identifier: Apache-2.0 */
/* A turn: every complete frame of what was read, in order, each to the part that knows its kind;
 * then the sends as one batch, then all answers in one write. */
#include "remoting.h"

#include <errno.h>

static bool is_refused(const struct front *front, int32_t code)
{
	for (uint32_t i = 0; i < front->refused_count; i++)
		if (front->refused[i] == code)
			return true;
	return false;
}

static bool may_park(int32_t code)
{
	return code != CODE_HEARTBEAT && code != CODE_UNREGISTER;
}

/* Answers what the role must not see; false if it may. */
static bool turned_away(struct connection *c, const struct remoting_header *header)
{
	struct lane *lane = c->lane;

	if (is_refused(lane->front, header->code)) {
		out_not_supported(c, header);
		return true;
	}
	if (lane->draining && header->version >= VERSION_KNOWS_GO_AWAY) {
		out_code(c, header, CODE_GO_AWAY, "please go away");
		return true;
	}
	if (lane->parked >= lane->front->parked_max && may_park(header->code)) {
		gantry_counter_add(lane->front->counters.busy, 1);
		out_code(c, header, GANTRY_SYSTEM_BUSY,
			 "[OVERLOAD]system busy, start flow control for a while");
		return true;
	}
	return false;
}

static void take_request(struct connection *c, const struct remoting_header *header,
			 struct gantry_str body)
{
	const struct gantry_role_ops *role = c->lane->front->role;

	atomic_store_explicit(&c->serialization, header->serialization, memory_order_relaxed);
	if (turned_away(c, header))
		return;
	switch (header->code) {
	case CODE_SEND:
	case CODE_SEND_V2:
	case CODE_SEND_BATCH:
		if (GANTRY_HAS(role, send)) {
			send_take(c, header, body);
			return;
		}
		break;
	case CODE_PULL:
	case CODE_LITE_PULL:
		if (GANTRY_HAS(role, pull)) {
			pull_take(c, header);
			return;
		}
		break;
	case CODE_HEARTBEAT:
		if (GANTRY_HAS(role, join)) {
			heartbeat_take(c, header, body);
			return;
		}
		break;
	case CODE_UNREGISTER:
		if (GANTRY_HAS(role, leave)) {
			unregister_take(c, header);
			return;
		}
		break;
	}
	call_take(c, header, body);
}

/* Texts of gathered sends stand in the scratch until the role has taken them. */
static void make_scratch_room(struct lane *lane, size_t header_size)
{
	struct remoting_scratch *scratch = &lane->scratch;

	scratch->field_used = 0;
	if (scratch->text_room - scratch->text_used < header_size + REMOTING_SLACK) {
		send_flush(lane);
		scratch->text_used = 0;
	}
}

static int take_frame(struct connection *c, const struct remoting_frame *frame, const char **why)
{
	struct lane *lane = c->lane;
	struct remoting_header header;
	int code;

	make_scratch_room(lane, frame->header.size);
	code = remoting_header_decode(frame, &lane->scratch, &header, why);
	if (code)
		return code;
	if (header.flag & REMOTING_RESPONSE) {
		ask_answered(c, &header, frame->body);
		return 0;
	}
	take_request(c, &header, frame->body);
	return 0;
}

size_t turn_run(struct connection *c, const char *bytes, size_t size)
{
	struct lane *lane = c->lane;
	const char *why = "a header that cannot be read";
	size_t at = 0;
	uint64_t frames = 0;
	int64_t code = 0;

	c->need = 0;
	lane->scratch.text_used = 0;
	while (!c->closed && !c->paused) {
		struct remoting_frame frame;

		code = remoting_frame_cut(&lane->front->limits, bytes + at, size - at, &frame,
					  &why);
		if (code == 0)
			code = take_frame(c, &frame, &why);
		if (code)
			break;
		at += frame.size;
		frames++;
	}
	send_flush(lane);
	out_flush(lane);
	gantry_counter_add(lane->front->counters.requests, frames);
	if (code < 0 && !c->closed)
		conn_malformed(c, why);
	else if (code > 0)
		c->need = (size_t)code;
	return at;
}
