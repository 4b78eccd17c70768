/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor of the broker role: what it offers and needs, its life, its operations. */
#include "broker.h"

#include <gantry/filter.h>
#include <gantry/replication.h>

#include "requests/call.h"
#include "clients/clients.h"
#include "feature.h"
#include "groups/groups.h"
#include "balance/modes.h"
#include "offsets/offsets.h"
#include "parts.h"
#include "pull/pull.h"
#include "send/put.h"
#include "register/register.h"
#include "send/send.h"
#include "sequence.h"
#include "stats/stats.h"
#include "store/expire.h"
#include "store/store.h"
#include "topics/topics.h"

struct instance { /* gantry_data(); broker_of() reads the first member */
	struct broker *broker;
	struct sequence sequence;
	struct gantry_op opened, *start;
};

static int setup(struct gantry_inst *inst)
{
	struct instance *self = gantry_data(inst);
	int err = expiry_define_topic(inst);

	if (!err)
		err = broker_new(inst, gantry_conf(inst), &self->broker);
	if (!err)
		err = clients_define(self->broker->clients);
	if (!err)
		err = sender_new(self->broker, &self->broker->sender);
	if (!err)
		err = puller_new(self->broker, &self->broker->puller);
	if (!err)
		err = putter_new(self->broker, &self->broker->putter);
	if (!err)
		err = features_new(self->broker, &self->broker->features);
	return err;
}

static void store_opened(struct gantry_op *op)
{
	struct instance *self = op->user;

	if (op->status) {
		store_close(self->broker->store);
		self->broker->store = NULL;
	}
	gantry_op_finish(self->start, op->status, 0);
}

static int start(struct gantry_inst *inst, struct gantry_op *op)
{
	struct instance *self = gantry_data(inst);
	int err = broker_find_addresses(self->broker);

	if (!err)
		err = broker_load(self->broker);
	if (!err)
		err = features_load(self->broker->features);
	if (err)
		return err;
	self->opened = (struct gantry_op){
		.done = store_opened, .loop = gantry_loop_control(inst), .user = self};
	self->start = op;
	err = store_open(self->broker, &self->broker->store, &self->opened);
	if (err < 0)
		return err;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}

static int serve(struct gantry_inst *inst)
{
	struct broker *broker = broker_of(inst);
	int err = store_serve(broker->store);

	if (!err)
		err = puller_serve(broker->puller);
	if (!err)
		err = offsets_serve(broker->offsets);
	if (!err)
		err = clients_serve(broker->clients);
	if (!err)
		err = features_serve(broker->features);
	if (!err)
		err = registrar_serve(broker->registrar);
	if (!err)
		err = stats_serve(broker->stats);
	return err;
}

/* ---- drain and stop: one step after another */

static int leave_name_servers(struct broker *broker, struct gantry_op *op)
{
	return registrar_drain(broker->registrar, op);
}

static int end_sends(struct broker *broker, struct gantry_op *op)
{
	return sender_drain(broker->sender, op);
}

static int end_pulls(struct broker *broker, struct gantry_op *op)
{
	return puller_drain(broker->puller, op);
}

static int end_puts(struct broker *broker, struct gantry_op *op)
{
	return putter_drain(broker->putter, op);
}

static int close_clients(struct broker *broker, struct gantry_op *op)
{
	(void)op;
	clients_close(broker->clients);
	stats_close(broker->stats);
	return 0;
}

static int close_registrar(struct broker *broker, struct gantry_op *op)
{
	return registrar_close(broker->registrar, op);
}

static int close_topics(struct broker *broker, struct gantry_op *op)
{
	return topics_close(broker->topics, op);
}

static int close_groups(struct broker *broker, struct gantry_op *op)
{
	return groups_close(broker->groups, op);
}

static int close_offsets(struct broker *broker, struct gantry_op *op)
{
	return offsets_close(broker->offsets, op);
}

static int close_modes(struct broker *broker, struct gantry_op *op)
{
	return modes_close(broker->modes, op);
}

static int drain_store(struct broker *broker, struct gantry_op *op)
{
	return broker->store ? store_drain(broker->store, op) : 0;
}

static int drain(struct gantry_inst *inst, struct gantry_op *op)
{
	static broker_step *const steps[] = {leave_name_servers, end_sends, end_pulls,
					     features_end,       end_puts,  NULL};
	struct instance *self = gantry_data(inst);

	return sequence_run(&self->sequence, self->broker, steps, op);
}

static int stop(struct gantry_inst *inst, struct gantry_op *op)
{
	static broker_step *const steps[] = {
		close_clients, close_registrar, features_close, close_offsets, close_modes,
		close_groups,  close_topics,    drain_store,    NULL,
	};
	struct instance *self = gantry_data(inst);

	return sequence_run(&self->sequence, self->broker, steps, op);
}

static int reload(struct gantry_inst *inst, const void *fresh)
{
	return broker_reload(broker_of(inst), fresh);
}

static void free_instance(struct gantry_inst *inst)
{
	struct instance *self = gantry_data(inst);

	broker_free(self->broker);
	self->broker = NULL;
}

/* ---- operations */

static int op_call(struct gantry_inst *inst, struct gantry_call *call, struct gantry_op *op)
{
	return call_run(broker_of(inst), call, op);
}

static int op_join(struct gantry_inst *inst, struct gantry_client *client)
{
	return clients_join(broker_of(inst), client);
}

static int op_leave(struct gantry_inst *inst, struct gantry_session *session,
		    struct gantry_str client, struct gantry_str producer_group,
		    struct gantry_str consumer_group)
{
	return clients_leave(broker_of(inst), session, client, producer_group, consumer_group);
}

static void op_gone(struct gantry_inst *inst, struct gantry_session *session)
{
	broker_session_gone(broker_of(inst), session);
}

static void op_store_host(const struct gantry_inst *inst, struct gantry_address *ret)
{
	broker_store_host(broker_of(inst), ret);
}

static const struct gantry_role_ops role_ops = {
	.size = sizeof(role_ops),
	.send = sender_send,
	.pull = puller_pull,
	.call = op_call,
	.join = op_join,
	.leave = op_leave,
	.gone = op_gone,
	.store_host = op_store_host,
};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_ROLE, .name = "broker", .ops = &role_ops},
	{0},
};

static const struct gantry_need needs[] = {
	{.kind = GANTRY_STORAGE, .ops_size = sizeof(struct gantry_storage_ops)},
	{.kind = GANTRY_REPLICATION, .ops_size = sizeof(struct gantry_replication_ops)},
	{.kind = GANTRY_FILTER, .ops_size = sizeof(struct gantry_filter_ops), .name = "TAG"},
	{.kind = GANTRY_ALLOCATION, .flags = GANTRY_NEED_OPTIONAL},
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct broker_conf),
	.inst_size = sizeof(struct instance),
	.setup = setup,
	.start = start,
	.serve = serve,
	.drain = drain,
	.stop = stop,
	.free = free_instance,
	.reload = reload,
};

GANTRY_PLUGIN(role_broker, "role-broker", .version = "0.1", .license = "Apache-2.0",
	      .summary = "the broker: topics, groups, messages, consumers", .offers = offers,
	      .needs = needs, .keys = broker_keys, .check = broker_conf_check, .life = &life)
