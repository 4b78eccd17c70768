/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor of the name server role: its life, and which calls it answers. */
#include "namesrv.h"

#include <errno.h>

#include <gantry/loop.h>

#include "call/reply.h"
#include "kv.h"
#include "notice.h"
#include "routes.h"

static int setup(struct gantry_inst *inst)
{
	struct namesrv *namesrv = gantry_data(inst);
	int err;

	namesrv->inst = inst;
	namesrv->conf = gantry_conf(inst);
	namesrv->started_ms = gantry_clock_ms();
	err = ns_routes_new(namesrv, &namesrv->routes);
	if (!err)
		err = ns_notices_new(namesrv, &namesrv->notices);
	if (!err)
		err = ns_kv_new(namesrv, &namesrv->kv);
	return err;
}

static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	struct namesrv *namesrv = gantry_data(inst);

	(void)op;
	return ns_kv_load(namesrv->kv);
}

static void scan(struct gantry_timer *timer, void *user)
{
	struct namesrv *namesrv = user;

	(void)timer;
	ns_routes_expire(namesrv->routes, gantry_clock_ms());
}

static int serve(struct gantry_inst *inst)
{
	struct namesrv *namesrv = gantry_data(inst);
	uint64_t period = (uint64_t)ns_conf(namesrv)->scanNotActiveBrokerInterval;

	return gantry_timer_start(inst, gantry_loop_control(inst), period, period, scan, namesrv,
				  &namesrv->scan);
}

static int drain(struct gantry_inst *inst, struct gantry_op *op)
{
	struct namesrv *namesrv = gantry_data(inst);

	return ns_notices_close(namesrv->notices, op);
}

static int reload(struct gantry_inst *inst, const void *fresh)
{
	struct namesrv *namesrv = gantry_data(inst);

	__atomic_store_n(&namesrv->conf, fresh, __ATOMIC_RELEASE);
	ns_routes_forget_texts(namesrv->routes);
	return 0;
}

static int stop(struct gantry_inst *inst, struct gantry_op *op)
{
	struct namesrv *namesrv = gantry_data(inst);

	gantry_timer_stop(namesrv->scan);
	namesrv->scan = NULL;
	return ns_kv_close(namesrv->kv, op);
}

static void free_instance(struct gantry_inst *inst)
{
	struct namesrv *namesrv = gantry_data(inst);

	ns_kv_free(namesrv->kv);
	ns_routes_free(namesrv->routes);
	ns_notices_free(namesrv->notices);
	namesrv->notices = NULL;
	namesrv->kv = NULL;
	namesrv->routes = NULL;
}

/* ---- operations */

static const struct ns_call_row *find_row(int32_t code)
{
	static const struct ns_call_row *const features[] = {ns_broker_calls, ns_topic_calls,
							     ns_kv_calls, ns_config_calls};

	for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		for (const struct ns_call_row *row = features[i]; row->code; row++)
			if (row->code == code)
				return row;
	return NULL;
}

static int op_call(struct gantry_inst *inst, struct gantry_call *call, struct gantry_op *op)
{
	const struct ns_call_row *row = find_row(call->code);

	if (!row)
		return call_unknown(call);
	return row->start ? row->start(gantry_data(inst), call, op)
			  : row->run(gantry_data(inst), call);
}

static void op_gone(struct gantry_inst *inst, struct gantry_session *session)
{
	struct namesrv *namesrv = gantry_data(inst);

	ns_routes_gone(namesrv->routes, session);
}

/* A name server has no messages and no consumers: each of the broker's operations is answered like
 * a code that nobody knows. */
static int op_send(struct gantry_inst *inst, struct gantry_send *const *sends, uint32_t count,
		   struct gantry_op *op)
{
	(void)inst;
	(void)op;
	for (uint32_t i = 0; i < count; i++) {
		sends[i]->code = GANTRY_REQUEST_CODE_NOT_SUPPORTED;
		sends[i]->offset_count = 0;
	}
	return 0;
}

static int op_pull(struct gantry_inst *inst, struct gantry_pull *pull, struct gantry_op *op)
{
	(void)inst;
	(void)op;
	pull->code = GANTRY_REQUEST_CODE_NOT_SUPPORTED;
	pull->slice_count = pull->message_count = 0;
	return 0;
}

static int op_join(struct gantry_inst *inst, struct gantry_client *client)
{
	(void)inst;
	client->code = GANTRY_REQUEST_CODE_NOT_SUPPORTED;
	return 0;
}

static int op_leave(struct gantry_inst *inst, struct gantry_session *session,
		    struct gantry_str client, struct gantry_str producer_group,
		    struct gantry_str consumer_group)
{
	(void)inst;
	(void)session;
	(void)client;
	(void)producer_group;
	(void)consumer_group;
	return -ENOTSUP;
}

static void op_store_host(const struct gantry_inst *inst, struct gantry_address *ret)
{
	(void)inst;
	*ret = (struct gantry_address){.ip_size = 0};
}

static const struct gantry_role_ops role_ops = {
	.size = sizeof(role_ops),
	.send = op_send,
	.pull = op_pull,
	.call = op_call,
	.join = op_join,
	.leave = op_leave,
	.gone = op_gone,
	.store_host = op_store_host,
};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_ROLE, .name = "namesrv", .ops = &role_ops},
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct namesrv_conf),
	.inst_size = sizeof(struct namesrv),
	.setup = setup,
	.start = start,
	.serve = serve,
	.drain = drain,
	.stop = stop,
	.free = free_instance,
	.reload = reload,
};

GANTRY_PLUGIN(role_namesrv, "role-namesrv", .version = "0.1", .license = "Apache-2.0",
	      .summary = "the name server: which broker has which topic", .offers = offers,
	      .keys = namesrv_keys, .life = &life)
