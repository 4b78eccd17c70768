/* SPDX-License-Identifier: Apache-2.0 */
/* fetchNamesrvAddrByAddressServer: an HTTP server says which name servers there are, as RocketMQ's
 * DefaultTopAddressing, common 5.5.0, asks it: http://DOMAIN:8080/rocketmq/SUBGROUP answers a line
 * of addresses. While it does not, the name servers stay what they were. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "register/http.h"
#include "register/private.h"

enum { TIMEOUT_MS = 3000, ANSWER_ROOM = 64 * 1024, ADDRESSES_MAX = 256, PATH_ROOM = 512 };

struct fetch {
	struct registrar *registrar;
	struct remoting_address at;
	char path[PATH_ROOM];
	uint64_t next_ms;   /* gantry_clock_ms() of the next question */
	bool busy, stopped; /* one is under way; no more are asked */
	bool failed;        /* the last time, and the log says so */
	struct gantry_work work;
	struct gantry_op op;
	struct gantry_op *stopping; /* to be finished when it is not busy */
	char answer[ANSWER_ROOM];   /* the worker's while busy */
};

/* DOMAIN may say the port itself. */
static int read_conf(struct fetch *fetch, const struct broker_conf *conf)
{
	const char *domain = conf->rmqAddressServerDomain;
	char address[sizeof(fetch->at)];

	if (snprintf(address, sizeof(address), strchr(domain, ':') ? "%s" : "%s:8080", domain) >=
		    (int)sizeof(address) ||
	    snprintf(fetch->path, sizeof(fetch->path), "/rocketmq/%s",
		     conf->rmqAddressServerSubGroup) >= (int)sizeof(fetch->path))
		return -EINVAL;
	/* It is put into a request line. */
	for (const char *at = fetch->path; *at; at++)
		if (*at <= ' ' || *at > '~')
			return -EINVAL;
	return remoting_address_split(address, &fetch->at);
}

int fetch_new(struct registrar *registrar, struct fetch **ret)
{
	const struct broker_conf *conf = registrar->broker->conf;
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return -ENOMEM;
	fetch->registrar = registrar;
	if (read_conf(fetch, conf)) {
		gantry_log(
			registrar->broker->inst, ERROR,
			"rmqAddressServerDomain = %s, rmqAddressServerSubGroup = %s: no place of "
			"an address server",
			conf->rmqAddressServerDomain, conf->rmqAddressServerSubGroup);
		free(fetch);
		return -EINVAL;
	}
	*ret = fetch;
	return 0;
}

void fetch_free(struct fetch *fetch)
{
	free(fetch);
}

/* ---- the answer */

/* Its first line, cut into addresses in place; returns how many are good. */
static uint32_t cut(struct fetch *fetch, char **addresses)
{
	struct remoting_address parts;
	uint32_t count = 0;
	char *rest = fetch->answer + strspn(fetch->answer, " \t\r\n"), *word;

	rest[strcspn(rest, "\r\n")] = 0;
	while (count < ADDRESSES_MAX && (word = strtok_r(rest, ";", &rest)) != NULL) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = 0;
		if (remoting_address_split(word, &parts) == 0)
			addresses[count++] = word;
	}
	return count;
}

static void use(struct fetch *fetch, int status)
{
	struct gantry_inst *inst = fetch->registrar->broker->inst;
	char *addresses[ADDRESSES_MAX];
	uint32_t count = status ? 0 : cut(fetch, addresses);

	if (!count && !fetch->failed)
		gantry_log(inst, WARNING,
			   "the address server http://%s:%s%s names no name server (%s); trying "
			   "again",
			   fetch->at.host, fetch->at.port, fetch->path,
			   status ? strerror(-status) : "no host:port in its first line");
	fetch->failed = !count;
	if (count && register_set_servers(fetch->registrar, addresses, count))
		gantry_log(inst, ERROR,
			   "no memory for the list of name servers: it stays as it was");
}

static void fetched(struct gantry_op *op)
{
	struct fetch *fetch = op->user;

	fetch->busy = false;
	if (fetch->stopping)
		gantry_op_finish(fetch->stopping, 0, 0);
	else if (!fetch->stopped)
		use(fetch, op->status);
}

/* ---- asking */

static int ask(struct gantry_work *work)
{
	struct fetch *fetch = work->user;

	return http_get(&fetch->at, fetch->path, TIMEOUT_MS, fetch->answer, sizeof(fetch->answer));
}

void fetch_tick(struct fetch *fetch, uint64_t now_ms)
{
	struct broker *broker;

	if (!fetch || fetch->stopped || fetch->busy || now_ms < fetch->next_ms)
		return;
	broker = fetch->registrar->broker;
	fetch->next_ms = now_ms + (uint64_t)broker->conf->fetchNamesrvAddrInterval;
	fetch->busy = true;
	fetch->work = (struct gantry_work){.run = ask, .user = fetch};
	fetch->op = (struct gantry_op){
		.done = fetched, .loop = gantry_loop_control(broker->inst), .user = fetch};
	gantry_work(broker->inst, &fetch->work, &fetch->op);
}

int fetch_stop(struct fetch *fetch, struct gantry_op *op)
{
	if (!fetch)
		return 0;
	fetch->stopped = true;
	if (!fetch->busy)
		return 0;
	fetch->stopping = op;
	gantry_op_take(op, NULL, NULL);
	return GANTRY_PENDING;
}
