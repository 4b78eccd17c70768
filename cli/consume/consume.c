/* SPDX-License-Identifier: Apache-2.0 */
/* gantry consume: options, and the loop of a consumer. */
#include "consume.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <gantry/op.h>

#include "../cli.h"

enum {
	HEARTBEAT_MS = 30000,
	REBALANCE_MS = 20000,
	ROUTE_MS = 30000,
	COMMIT_MS = 5000,
	TURN_MS = 500, /* how long an interrupt may stay unseen */
	POLLED_MAX = 64,
};

static const char help[] =
	"A member of the group like RocketMQ's push consumer: it shares the topic's queues with "
	"the\n"
	"other members, and goes on where the group stopped. --from tells where a group begins "
	"that\n"
	"never read the topic.\n\n"
	"Example:\n"
	"  gantry consume -n 127.0.0.1:9876 -t TopicTest -g tester --from first --max 10";

struct consume_options {
	char *namesrv, *topic, *group, *tags, *from;
	int64_t max;
	double timeout;
};

static int parse(const struct cli_command *self, struct consume_options *o, int *argc, char **argv)
{
	const GOptionEntry entries[] = {
		{"namesrv", 'n', 0, G_OPTION_ARG_STRING, &o->namesrv, ROUTE_NAMESRV_HELP, "LIST"},
		{"topic", 't', 0, G_OPTION_ARG_STRING, &o->topic, "Topic (required)", "TOPIC"},
		{"group", 'g', 0, G_OPTION_ARG_STRING, &o->group, "Consumer group (gantry_consume)",
		 "GROUP"},
		{"from", 0, 0, G_OPTION_ARG_STRING, &o->from,
		 "Where a new group begins: first, or last (default)", "first|last"},
		{"tag", 0, 0, G_OPTION_ARG_STRING, &o->tags,
		 "Only messages with these tags: A, or A || B", "TAGS"},
		{"max", 'c', 0, G_OPTION_ARG_INT64, &o->max, "End after N messages", "N"},
		{"timeout", 0, 0, G_OPTION_ARG_DOUBLE, &o->timeout, "End after SECONDS", "SECONDS"},
		{NULL},
	};
	return cli_options(self, entries, argc, argv);
}

/* ---- the loop */

static void on_message(struct link *link, const struct link_message *message, void *user)
{
	struct consumer *consumer = user;
	if (!(message->header.flag & REMOTING_RESPONSE)) {
		if (message->header.code == ASK_MEMBERS_CHANGED)
			consumer->rebalance_ms = 0;
		return;
	}
	for (uint32_t i = 0; i < consumer->broker_count; i++)
		if (consumer->brokers[i].link == link)
			pull_answered(consumer, i, message);
}

static void renew_route(struct consumer *consumer)
{
	const struct consume_conf *conf = consumer->conf;
	struct route *fresh;
	if (route_find(conf->namesrv, conf->topic, false, &fresh))
		return; /* the old one still serves */
	route_free(consumer->route);
	consumer->route = fresh;
	brokers_follow(consumer);
}

static bool is_due(uint64_t *at_ms, uint64_t pause_ms)
{
	uint64_t now = gantry_clock_ms();
	if (*at_ms > now)
		return false;
	*at_ms = now + pause_ms;
	return true;
}

static void do_what_is_due(struct consumer *consumer)
{
	if (is_due(&consumer->route_ms, ROUTE_MS))
		renew_route(consumer);
	brokers_connect(consumer, on_message);
	if (is_due(&consumer->heartbeat_ms, HEARTBEAT_MS))
		group_heartbeat(consumer);
	if (is_due(&consumer->rebalance_ms, REBALANCE_MS))
		group_rebalance(consumer);
	if (is_due(&consumer->commit_ms, COMMIT_MS))
		group_commit(consumer);
	pull_all(consumer);
}

/* Takes what has come; waits for more when nothing has. */
static void receive(struct consumer *consumer, uint64_t until_ms)
{
	struct pollfd polled[POLLED_MAX];
	nfds_t count = 0;
	for (uint32_t i = 0; i < consumer->broker_count && count < POLLED_MAX; i++)
		if (consumer->brokers[i].link)
			polled[count++] = (struct pollfd){.fd = link_fd(consumer->brokers[i].link),
							  .events = POLLIN};
	uint64_t now = gantry_clock_ms();
	if (consumer->rebalance_ms > now && until_ms > now)
		poll(polled, count, (int)(until_ms - now < TURN_MS ? until_ms - now : TURN_MS));
	for (uint32_t i = 0; i < consumer->broker_count; i++) {
		struct link *link = consumer->brokers[i].link;
		int failed = link ? link_receive_ready(link) : 0;
		if (failed)
			brokers_lost(consumer, i,
				     failed == -EPIPE ? "it closed the connection"
						      : g_strerror(-failed));
	}
}

static int loop(struct consumer *consumer)
{
	const struct consume_conf *conf = consumer->conf;
	uint64_t end_ms =
		conf->timeout_ms ? gantry_clock_ms() + (uint64_t)conf->timeout_ms : UINT64_MAX;
	while (!pull_full(consumer) && !consumer->refused && !cli_interrupted() &&
	       gantry_clock_ms() < end_ms) {
		do_what_is_due(consumer);
		receive(consumer, end_ms);
		cli_progress("%lld messages, %u queues", (long long)consumer->printed,
			     consumer->held_count);
	}
	group_commit(consumer);
	group_leave(consumer);
	cli_progress_end();
	if (consumer->refused)
		return CLI_REFUSED;
	return conf->max && !pull_full(consumer) && !cli_interrupted() ? CLI_TIMEOUT : CLI_DONE;
}

/* ---- the command */

static int consume(const struct consume_conf *conf)
{
	struct consumer consumer = {.conf = conf};
	int failed = route_find(conf->namesrv, conf->topic, false, &consumer.route);
	if (failed)
		return failed;
	if (consumer.route->read_count == 0) {
		cli_error("topic %s has no queue that may be read", conf->topic);
		route_free(consumer.route);
		return CLI_REFUSED;
	}
	g_autofree char *id =
		g_strdup_printf("%s@%d#%u", g_get_host_name(), getpid(), g_random_int());
	consumer.member = (struct ask_member){.client_id = id,
					      .group = conf->group,
					      .topic = conf->topic,
					      .tags = conf->tags,
					      .sub_version = cli_now_ms(),
					      .from_first = conf->from_first};
	consumer.route_ms = gantry_clock_ms() + ROUTE_MS;
	consumer.commit_ms = gantry_clock_ms() + COMMIT_MS;
	brokers_follow(&consumer);
	cli_catch_interrupts();
	int exit_code = loop(&consumer);
	brokers_close(&consumer);
	g_free(consumer.held);
	route_free(consumer.route);
	return exit_code;
}

static int check(const struct consume_options *o, struct consume_conf *ret)
{
	bool first = o->from && !strcmp(o->from, "first");
	if (!o->topic || !*o->topic)
		return cli_usage("-t TOPIC is missing");
	if (o->from && !first && strcmp(o->from, "last"))
		return cli_usage("--from is %s, must be first or last", o->from);
	if (!(o->timeout >= 0 && o->timeout <= 1e9))
		return cli_usage("--timeout takes seconds");
	*ret = (struct consume_conf){
		.namesrv = o->namesrv,
		.topic = o->topic,
		.group = o->group ? o->group : "gantry_consume",
		.tags = o->tags && *o->tags ? o->tags : "*",
		.from_first = first,
		.max = o->max,
		.timeout_ms = (int64_t)(o->timeout * 1000),
	};
	return cli_range("--max", o->max, 0, INT64_MAX);
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct consume_options o = {0};
	struct consume_conf conf;
	int exit_code = parse(self, &o, &argc, argv);
	if (!exit_code && argc > 1)
		exit_code = cli_usage("what is %s?", argv[1]);
	if (!exit_code)
		exit_code = check(&o, &conf);
	if (!exit_code)
		exit_code = consume(&conf);
	g_free(o.namesrv);
	g_free(o.topic);
	g_free(o.group);
	g_free(o.tags);
	g_free(o.from);
	return exit_code;
}

const struct cli_command cli_consume = {
	.name = "consume",
	.summary = "Reads a topic as a member of a consumer group",
	.help = help,
	.run = run,
};
