/* SPDX-License-Identifier: Apache-2.0 */
/* fetchNameSrvAddrByDnsLookup: every address that the names in namesrvAddr have is a name server,
 * as in RocketMQ's BrokerOuterAPI, broker 5.5.0, which takes one name. What cannot be looked up
 * keeps the addresses that it had. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "register/private.h"

enum { AGAIN_MS = 5000, ADDRESSES_MAX = 64 }; /* of one name */

struct name {
	struct names *names;
	struct remoting_address at;
	uv_getaddrinfo_t request;
	char *found[ADDRESSES_MAX];
	uint32_t found_count;
	uint64_t next_ms; /* gantry_clock_ms() of the next look-up */
	bool busy;        /* it is being looked up; a name that nobody answers takes many seconds */
	bool failed;      /* the last time, and the log says so */
};

struct names {
	struct registrar *registrar;
	struct name *list;
	uint32_t count;
	uint32_t busy; /* look-ups that run */
	bool stopped;
	struct gantry_op *stopping; /* to be finished when none is busy */
};

int names_new(struct registrar *registrar, struct names **ret)
{
	const struct gantry_conf_list *conf = &registrar->broker->conf->namesrvAddr;
	struct names *names = calloc(1, sizeof(*names));
	int err = 0;

	if (!names)
		return -ENOMEM;
	names->registrar = registrar;
	names->list = calloc(conf->count, sizeof(*names->list));
	for (uint32_t i = 0; names->list && i < conf->count && !err; i++) {
		err = remoting_address_split(conf->at[i], &names->list[i].at);
		names->list[i].names = names;
		names->count++;
	}
	if (!names->list)
		err = -ENOMEM;
	if (err) {
		names_free(names);
		return err;
	}
	*ret = names;
	return 0;
}

static void forget_found(struct name *name)
{
	for (uint32_t i = 0; i < name->found_count; i++)
		free(name->found[i]);
	name->found_count = 0;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	for (uint32_t i = 0; i < names->count; i++)
		forget_found(&names->list[i]);
	free(names->list);
	free(names);
}

/* ---- what was found */

static void use(struct names *names)
{
	uint32_t room = names->count * ADDRESSES_MAX, count = 0;
	char **all = calloc(room, sizeof(*all));

	for (uint32_t i = 0; all && i < names->count; i++)
		for (uint32_t j = 0; j < names->list[i].found_count; j++)
			all[count++] = names->list[i].found[j];
	/* None: those that are known stay, as in Java. */
	if (!all || (count && register_set_servers(names->registrar, all, count)))
		gantry_log(names->registrar->broker->inst, ERROR,
			   "no memory for the list of name servers: it stays as it was");
	free(all);
}

static char *text_of(const struct addrinfo *found, const char *port)
{
	char host[NI_MAXHOST], text[NI_MAXHOST + 16];

	if (getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof(host), NULL, 0,
			NI_NUMERICHOST))
		return NULL;
	snprintf(text, sizeof(text), found->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		 port);
	return strdup(text);
}

static void keep_found(struct name *name, const struct addrinfo *found)
{
	forget_found(name);
	for (; found && name->found_count < ADDRESSES_MAX; found = found->ai_next) {
		char *text = text_of(found, name->at.port);

		if (text)
			name->found[name->found_count++] = text;
	}
}

/* What failed is looked up again soon. */
static void note(struct name *name, bool failed)
{
	uint64_t soon_ms = gantry_clock_ms() + AGAIN_MS;

	name->failed = failed;
	if (failed && name->next_ms > soon_ms)
		name->next_ms = soon_ms;
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct name *name = request->data;
	struct names *names = name->names;

	if (status == 0)
		keep_found(name, found);
	else if (!name->failed && !names->stopped)
		gantry_log(names->registrar->broker->inst, WARNING,
			   "namesrvAddr: %s cannot be looked up: %s; trying again", name->at.host,
			   uv_strerror(status));
	note(name, status != 0);
	uv_freeaddrinfo(found);
	name->busy = false;
	names->busy--;
	if (names->stopping && !names->busy)
		gantry_op_finish(names->stopping, 0, 0);
	else if (!names->stopped && status == 0)
		use(names); /* at once: a name that no server answers takes many seconds */
}

/* ---- asking */

static void look_up(struct name *name)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
	struct names *names = name->names;
	uv_loop_t *loop = gantry_loop_uv(gantry_loop_control(names->registrar->broker->inst));

	name->request.data = name;
	name->busy = uv_getaddrinfo(loop, &name->request, resolved, name->at.host, name->at.port,
				    &hints) == 0;
	if (name->busy)
		names->busy++;
	else
		note(name, true);
}

void names_tick(struct names *names, uint64_t now_ms)
{
	uint64_t period_ms;

	if (!names || names->stopped)
		return;
	period_ms = (uint64_t)names->registrar->broker->conf->updateNameServerAddrPeriod;
	for (uint32_t i = 0; i < names->count; i++) {
		struct name *name = &names->list[i];

		if (name->busy || now_ms < name->next_ms)
			continue;
		name->next_ms = now_ms + period_ms;
		look_up(name);
	}
}

int names_stop(struct names *names, struct gantry_op *op)
{
	if (!names)
		return 0;
	names->stopped = true;
	if (!names->busy)
		return 0;
	for (uint32_t i = 0; i < names->count; i++)
		if (names->list[i].busy)
			uv_cancel((uv_req_t *)&names->list[i].request);
	names->stopping = op;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}
