/* SPDX-License-Identifier: Apache-2.0 */
/* The three requests to a name server: register, compare versions, unregister. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fields.h"
#include "message/record.h"
#include "register/private.h"
#include "slave/slave.h"
#include "topics/private.h"

enum {
	REGISTER_BROKER = 103,
	UNREGISTER_BROKER = 104,
	QUERY_DATA_VERSION = 322,
	GET_ROUTEINFO = 105
};
enum { FIELDS = 8 };

struct ask {
	struct remoting_request request;
	struct gantry_op op;
	struct name_server *server;
	uint64_t losses; /* the server's when it was sent */
	bool full;
	/* what the fields point to until the request is copied */
	char address[ADDRESS_ROOM], ha_address[ADDRESS_ROOM], id[24], crc[16];
	struct gantry_field fields[FIELDS];
};

static void add(struct ask *ask, const char *name, const char *value)
{
	ask->fields[ask->request.field_count++] =
		(struct gantry_field){str_of(name), str_of(value)};
}

/* A request with the fields that say which broker it is. */
static struct ask *ask_new(struct name_server *server, int32_t code,
			   void (*done)(struct gantry_op *op))
{
	struct broker *broker = server->registrar->broker;
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask)
		return NULL;
	ask->server = server;
	ask->losses = server->losses;
	ask->request.code = code;
	ask->request.fields = ask->fields;
	ask->op = (struct gantry_op){
		.done = done, .loop = gantry_loop_control(broker->inst), .user = ask};
	registrar_own_address(broker, ask->address, sizeof(ask->address));
	snprintf(ask->id, sizeof(ask->id), "%lld", (long long)broker->id);
	add(ask, "brokerName", broker->name);
	add(ask, "brokerAddr", ask->address);
	add(ask, "clusterName", broker->cluster);
	add(ask, "brokerId", ask->id);
	return ask;
}

static void send_off(struct ask *ask, uint64_t timeout_ms)
{
	struct name_server *server = ask->server;
	int result;

	ask->op.deadline_ms = gantry_clock_ms() + timeout_ms;
	server->pending++;
	server->registrar->pending++;
	result = remoting_client_call(server->registrar->client, server->address, &ask->request,
				      &ask->op);
	if (result > 0)
		return;
	ask->op.status = result ? result : -EIO;
	ask->op.done(&ask->op);
}

/* ---- what came back */

static void went_wrong(struct name_server *server, const char *what)
{
	struct registrar *registrar = server->registrar;

	server->losses++;
	server->needs_full = true;
	if (!server->down && !server->gone && !registrar->draining)
		gantry_log(registrar->broker->inst, WARNING,
			   "name server %s: not registered: %s; trying again", server->address,
			   what);
	server->down = true;
}

/* Whether the name server took it; logs the turn if it did not. */
static bool went_well(const struct ask *ask)
{
	struct name_server *server = ask->server;
	char what[160];

	if (ask->op.status) {
		went_wrong(server, strerror(-ask->op.status));
		return false;
	}
	if (ask->request.reply.code != GANTRY_SUCCESS) {
		snprintf(what, sizeof(what), "it answers %d %.*s", ask->request.reply.code,
			 ask->request.reply.remark.size > 100 ? 100
							      : (int)ask->request.reply.remark.size,
			 ask->request.reply.remark.at ? ask->request.reply.remark.at : "");
		went_wrong(server, what);
		return false;
	}
	if (server->down || !server->registered)
		gantry_log(server->registrar->broker->inst, NOTICE,
			   "registered at name server %s as %s", server->address, ask->address);
	server->down = false;
	server->registered = true;
	return true;
}

static void finish(struct ask *ask)
{
	struct name_server *server = ask->server;

	remoting_request_clear(&ask->request);
	free(ask);
	server->pending--;
	server->registrar->pending--;
	register_done(server);
}

void registrar_own_address(const struct broker *broker, char *to, size_t room)
{
	snprintf(to, room, "%s:%u", broker->ip1, broker_port((struct broker *)broker));
}

static void keep(char to[ADDRESS_ROOM], const struct remoting_header *reply, const char *field)
{
	struct gantry_str text = remoting_field(reply, field);

	snprintf(to, ADDRESS_ROOM, "%.*s", (int)(text.at ? text.size : 0), text.at ? text.at : "");
}

/* The first name server that is there and knows a master has the word. */
static void tell_slave(struct name_server *answered, const struct remoting_header *reply)
{
	struct registrar *registrar = answered->registrar;
	struct name_server *first = answered;

	keep(answered->master, reply, "masterAddr");
	keep(answered->ha, reply, "haServerAddr");
	for (uint32_t i = 0; i < registrar->server_count; i++) {
		struct name_server *server = registrar->servers[i];

		if (!server->down && server->master[0]) {
			first = server;
			break;
		}
	}
	slave_told(registrar->broker, str_of(first->master), str_of(first->ha));
}

static void registered(struct gantry_op *op)
{
	struct ask *ask = op->user;
	struct name_server *server = ask->server;

	if (went_well(ask)) {
		tell_slave(server, &ask->request.reply);
		if (ask->full && server->losses == ask->losses)
			server->needs_full = false;
		register_order_topics(server->registrar->broker, ask->request.ret_body);
	}
	finish(ask);
}

static void version_compared(struct gantry_op *op)
{
	struct ask *ask = op->user;

	if (went_well(ask) && remoting_field_bool(&ask->request.reply, "changed", 1))
		register_fully(ask->server);
	finish(ask);
}

static void left(struct gantry_op *op)
{
	finish(op->user);
}

/* ---- what is sent */

void register_send(struct name_server *server, const char *body, size_t size, bool full)
{
	struct broker *broker = server->registrar->broker;
	struct ask *ask = ask_new(server, REGISTER_BROKER, registered);
	int64_t ha_port = broker->conf->haListenPort;
	int32_t crc = message_body_crc(body, size); /* the same sum as a message's */

	if (!ask) {
		server->needs_full = true;
		return;
	}
	if (!ha_port)
		ha_port = broker_port(broker) + 1;
	snprintf(ask->ha_address, sizeof(ask->ha_address), "%s:%lld", broker->ip2,
		 (long long)ha_port);
	snprintf(ask->crc, sizeof(ask->crc), "%d", crc);
	add(ask, "haServerAddr", ask->ha_address);
	add(ask, "enableActingMaster", "false");
	add(ask, "compressed", "false");
	add(ask, "bodyCrc32", ask->crc);
	ask->full = full;
	ask->request.body = (struct gantry_str){body, size};
	send_off(ask, (uint64_t)broker->conf->registerBrokerTimeoutMills);
}

void register_query_version(struct name_server *server)
{
	struct ask *ask = ask_new(server, QUERY_DATA_VERSION, version_compared);
	struct data_version version;
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;

	topics_version(server->registrar->broker->topics, &version);
	json_writer_init(&writer, 1024, 0);
	data_version_write(&writer, &version);
	if (json_writer_take(&writer, &text, &size) || !ask) {
		free(text);
		free(ask);
		return;
	}
	ask->request.body = (struct gantry_str){text, size};
	send_off(ask, (uint64_t)server->registrar->broker->conf->registerBrokerTimeoutMills);
	free(text);
}

void register_leave(struct name_server *server)
{
	struct ask *ask = ask_new(server, UNREGISTER_BROKER, left);

	if (ask)
		send_off(ask, UNREGISTER_MS);
}

int registrar_ask_route(struct broker *broker, struct gantry_str topic, uint32_t i,
			struct remoting_request *request, struct gantry_op *op)
{
	struct registrar *registrar = broker->registrar;
	struct gantry_field fields[] = {
		{str_of("topic"), topic},
		{str_of("acceptStandardJsonOnly"), str_of("true")},
	};

	if (i >= registrar->server_count || !registrar->client || registrar->draining)
		return -ENOTCONN;
	*request = (struct remoting_request){
		.code = GET_ROUTEINFO, .fields = fields, .field_count = 2};
	return remoting_client_call(registrar->client, registrar->servers[i]->address, request, op);
}
