/* SPDX-License-Identifier: Apache-2.0 */
/* When the broker registers at its name servers: once it serves, periodically, at once when topics
 * change; and how it leaves. */
#include "register/register.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "register/private.h"

enum { TICK_MS = 1000, RETRY_MS = 5000, PERIOD_MIN_MS = 10000, PERIOD_MAX_MS = 60000 };
enum { PENDING_MAX = 8 }; /* requests to one server; more wait in needs_full */

/* Where the list of name servers comes from. */
static int find_source(struct registrar *registrar)
{
	const struct broker_conf *conf = registrar->broker->conf;
	const struct gantry_conf_list *list = &conf->namesrvAddr;

	registrar->anywhere = list->count || conf->fetchNamesrvAddrByAddressServer;
	if (!list->count && registrar->anywhere)
		return fetch_new(registrar, &registrar->fetch);
	if (list->count && conf->fetchNameSrvAddrByDnsLookup)
		return names_new(registrar, &registrar->names);
	return register_set_servers(registrar, (char *const *)list->at, list->count);
}

bool registrar_has_servers(const struct broker *broker)
{
	return broker->registrar && broker->registrar->anywhere;
}

int registrar_new(struct broker *broker, struct registrar **ret)
{
	struct registrar *registrar = calloc(1, sizeof(*registrar));
	int err;

	if (!registrar)
		return -ENOMEM;
	pthread_mutex_init(&registrar->lock, NULL);
	registrar->broker = broker;
	err = find_source(registrar);
	if (err) {
		registrar_free(registrar);
		return err;
	}
	*ret = registrar;
	return 0;
}

void registrar_free(struct registrar *registrar)
{
	if (!registrar)
		return;
	names_free(registrar->names);
	fetch_free(registrar->fetch);
	register_free_servers(registrar);
	pthread_mutex_destroy(&registrar->lock);
	free(registrar);
}

/* ---- registering */

static uint64_t period_ms(const struct registrar *registrar)
{
	int64_t period = registrar->broker->conf->registerNameServerPeriod;

	if (period < PERIOD_MIN_MS)
		period = PERIOD_MIN_MS;
	return (uint64_t)(period > PERIOD_MAX_MS ? PERIOD_MAX_MS : period);
}

void register_some(struct name_server *server, struct topic *const *some, uint32_t count,
		   uint32_t parts_left, bool full)
{
	struct registrar *registrar = server->registrar;
	char *body;
	size_t size;
	int err;

	if (server->pending >= PENDING_MAX) {
		server->needs_full = true;
		server->losses++;
		return;
	}
	err = register_body(registrar->broker, some, count, parts_left, &body, &size);
	if (err) {
		gantry_log(registrar->broker->inst, ERROR, "cannot register: %s", strerror(-err));
		server->needs_full = true;
		server->losses++;
		return;
	}
	server->next_ms = gantry_clock_ms() + period_ms(registrar);
	register_send(server, body, size, full);
	free(body);
}

static void register_periodically(struct name_server *server)
{
	server->next_ms = gantry_clock_ms() + period_ms(server->registrar);
	if (server->registrar->broker->conf->forceRegister || server->needs_full)
		register_fully(server);
	else
		register_query_version(server);
}

void register_done(struct name_server *server)
{
	struct registrar *registrar = server->registrar;
	uint64_t retry = gantry_clock_ms() + RETRY_MS;

	register_next_part(server);
	if (server->needs_full && server->next_ms > retry)
		server->next_ms = server->down ? retry : 0;
	register_let_go(server);
	if (!registrar->pending && registrar->drained) {
		struct gantry_op *op = registrar->drained;

		registrar->drained = NULL;
		gantry_op_finish(op, 0, 0);
	}
}

void registrar_ask_again(struct broker *broker)
{
	struct registrar *registrar = broker->registrar;

	for (uint32_t i = 0; registrar->serving && i < registrar->server_count; i++)
		register_fully(registrar->servers[i]);
}

static void tick(struct gantry_timer *timer, void *user)
{
	struct registrar *registrar = user;
	uint64_t now = gantry_clock_ms();

	(void)timer;
	names_tick(registrar->names, now);
	fetch_tick(registrar->fetch, now);
	for (uint32_t i = 0; i < registrar->server_count; i++)
		if (now >= registrar->servers[i]->next_ms && !registrar->servers[i]->pending)
			register_periodically(registrar->servers[i]);
}

/* ---- topics that change */

/* On the control loop: what was collected goes out. */
static void send_changes(struct gantry_task *task)
{
	struct registrar *registrar = task->user;
	struct topic *changed[REGISTER_CHANGED_MAX];
	uint32_t count;
	bool all;

	pthread_mutex_lock(&registrar->lock);
	count = registrar->changed_count;
	all = registrar->change_all;
	memcpy(changed, registrar->changed, count * sizeof(changed[0]));
	registrar->changed_count = 0;
	registrar->change_all = registrar->posted = false;
	pthread_mutex_unlock(&registrar->lock);
	if (registrar->draining || !registrar->serving)
		return;
	for (uint32_t i = 0; i < registrar->server_count; i++) {
		struct name_server *server = registrar->servers[i];

		if (server->down)
			server->needs_full = true;
		else if (all || server->needs_full)
			register_fully(server);
		else
			register_some(server, changed, count, 0, false);
	}
}

void registrar_topics_changed(struct broker *broker, struct topic *const *topics, uint32_t count)
{
	struct registrar *registrar = broker->registrar;
	bool post;

	if (!registrar || !registrar->anywhere)
		return;
	pthread_mutex_lock(&registrar->lock);
	if (!count || registrar->changed_count + count > REGISTER_CHANGED_MAX) {
		registrar->change_all = true;
	} else {
		memcpy(registrar->changed + registrar->changed_count, topics,
		       count * sizeof(topics[0]));
		registrar->changed_count += count;
	}
	post = !registrar->posted;
	registrar->posted = true;
	pthread_mutex_unlock(&registrar->lock);
	if (!post)
		return;
	registrar->task = (struct gantry_task){.run = send_changes, .user = registrar};
	gantry_loop_post(gantry_loop_control(broker->inst), &registrar->task);
}

/* ---- life */

/* The whole process serves: the port is open, so clients may be sent here. */
static int stage_passed(const struct gantry_event *event, void *user)
{
	const struct gantry_stage_event *stage = event->payload;
	struct registrar *registrar = user;

	if (stage->stage == GANTRY_STAGE_SERVE && !registrar->serving) {
		registrar->serving = true;
		names_tick(registrar->names, gantry_clock_ms());
		fetch_tick(registrar->fetch, gantry_clock_ms());
		for (uint32_t i = 0; i < registrar->server_count; i++)
			register_fully(registrar->servers[i]);
	}
	return 0;
}

int registrar_serve(struct registrar *registrar)
{
	struct gantry_inst *inst = registrar->broker->inst;
	struct gantry_loop *control = gantry_loop_control(inst);
	struct remoting_client_spec client = {
		.size = sizeof(client), .inst = inst, .loop = control, .version = BROKER_VERSION};
	struct gantry_subscribe_spec stage = {
		.size = sizeof(stage), .event = stage_passed, .user = registrar};
	int err;

	if (!registrar->anywhere) {
		gantry_log(inst, NOTICE, "no namesrvAddr: this broker registers nowhere");
		return 0;
	}
	err = remoting_client_new(&client, &registrar->client);
	if (!err)
		err = gantry_subscribe(inst, GANTRY_TOPIC_STAGE, 0, &stage, &registrar->stage);
	if (!err)
		err = gantry_timer_start(inst, control, TICK_MS, TICK_MS, tick, registrar,
					 &registrar->timer);
	return err;
}

static void quiesce(struct registrar *registrar)
{
	gantry_unsubscribe(registrar->stage);
	gantry_timer_stop(registrar->timer);
	registrar->stage = NULL;
	registrar->timer = NULL;
	registrar->draining = true;
}

/* Draining takes too long: whoever has not answered yet is left alone. */
static void give_up(struct gantry_timer *timer, void *user)
{
	struct registrar *registrar = user;

	gantry_timer_stop(timer);
	registrar->timer = NULL;
	for (uint32_t i = 0; i < registrar->server_count; i++)
		remoting_client_forget(registrar->client, registrar->servers[i]->address);
}

int registrar_drain(struct registrar *registrar, struct gantry_op *op)
{
	struct gantry_inst *inst = registrar->broker->inst;

	quiesce(registrar);
	for (uint32_t i = 0; i < registrar->server_count; i++)
		if (registrar->servers[i]->registered && !registrar->servers[i]->down)
			register_leave(registrar->servers[i]);
	if (!registrar->pending)
		return 0;
	if (gantry_timer_start(inst, gantry_loop_control(inst), UNREGISTER_MS, 0, give_up,
			       registrar, &registrar->timer))
		gantry_log(inst, WARNING, "no timer: name servers may hold up the end");
	registrar->drained = op;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}

static void client_closed(struct gantry_op *op)
{
	struct registrar *registrar = op->user;

	gantry_op_finish(registrar->closed, 0, 0);
}

static void close_client(struct registrar *registrar)
{
	registrar->close_op.done = client_closed;
	remoting_client_close(registrar->client, &registrar->close_op);
	registrar->client = NULL;
}

static void source_stopped(struct gantry_op *op)
{
	close_client(op->user);
}

int registrar_close(struct registrar *registrar, struct gantry_op *op)
{
	quiesce(registrar);
	if (!registrar->client)
		return 0;
	registrar->closed = op;
	registrar->close_op =
		(struct gantry_op){.done = source_stopped,
				   .loop = gantry_loop_control(registrar->broker->inst),
				   .user = registrar};
	gantry_op_take(op, NULL, NULL);
	/* There is one of the two at most. */
	if (names_stop(registrar->names, &registrar->close_op) == 0 &&
	    fetch_stop(registrar->fetch, &registrar->close_op) == 0)
		close_client(registrar);
	return GANTRY_PENDING;
}
