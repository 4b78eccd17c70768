/* SPDX-License-Identifier: Apache-2.0 */
/* Every request that this front-end does not know better: its fields and body go to the role as
 * they are, and what the role fills in goes back. */
#include "remoting.h"

#include <stdlib.h>
#include <string.h>

struct call {
	struct parked parked; /* first */
	struct gantry_call call;
};

static void answer(struct call *record)
{
	struct gantry_call *call = &record->call;
	struct out_body body = {.heap = call->ret_body, .heap_size = call->ret_body_size};
	struct remoting_header header = {.code = call->ret_code,
					 .fields = call->ret_fields,
					 .field_count = call->ret_field_count};

	if (call->remark[0])
		header.remark = (struct gantry_str){call->remark,
						    strnlen(call->remark, sizeof(call->remark))};
	out_answer(record->parked.connection, &record->parked, &header, &body);
}

static void done(struct gantry_op *op)
{
	struct call *record = op->user;
	struct connection *c = record->parked.connection;
	struct lane *lane = c->lane;

	unpark(lane, &record->parked, 1);
	/* One that was cancelled, or whose client is gone, gets no answer. */
	if (op->status == 0) {
		answer(record);
		out_flush(lane);
	}
	pool_give(&lane->calls, record);
	conn_release(c);
	lane_report(lane);
}

static void prepare(struct call *record, struct connection *c, const struct remoting_header *header,
		    struct gantry_str body)
{
	struct gantry_call *call = &record->call;

	record->parked = (struct parked){
		.op = {.done = done, .loop = c->lane->loop, .user = record},
		.connection = c,
		.opaque = header->opaque,
		.serialization = header->serialization,
		.one_way = header->flag & REMOTING_ONE_WAY,
	};
	call->session = &c->session;
	call->fields = header->fields;
	call->body = body;
	call->field_count = header->field_count;
	call->code = header->code;
	call->client_version = header->version;
	call->language = header->language;
	call->one_way = record->parked.one_way;
	call->ret_code = GANTRY_SUCCESS;
	call->ret_field_count = 0;
	call->ret_text_used = 0;
	call->ret_body = NULL;
	call->ret_body_size = 0;
	call->remark[0] = '\0';
	call->user = NULL;
}

void call_take(struct connection *c, const struct remoting_header *header, struct gantry_str body)
{
	struct lane *lane = c->lane;
	struct front *front = lane->front;
	struct call *record;
	int code;

	if (!GANTRY_HAS(front->role, call)) {
		out_not_supported(c, header);
		return;
	}
	record = pool_take(lane, &lane->calls, sizeof(*record));
	if (!record) {
		out_code(c, header, GANTRY_SYSTEM_BUSY, "out of memory");
		return;
	}
	prepare(record, c, header, body);
	code = front->role->call(front->role_inst, &record->call, &record->parked.op);
	if (code > 0) {
		park(lane, &record->parked, 1);
		return;
	}
	if (code < 0) {
		record->call.ret_code = GANTRY_SYSTEM_ERROR;
		snprintf(record->call.remark, sizeof(record->call.remark), "%s", uv_strerror(code));
	}
	answer(record);
	pool_give(&lane->calls, record);
}
