/* SPDX-License-Identifier: Apache-2.0 */
/* gantry bench: options in, load, report out. */
#include <stdlib.h>
#include <string.h>

#include "../cli.h"
#include "../route.h"
#include "load.h"
#include "prepare.h"
#include "report.h"

static const char help[] =
	"Modes:\n"
	"  send     producers: the round trip of sends\n"
	"  pull     consumers: the round trip of pulls of --batch messages, over what the topic "
	"holds\n"
	"  route    clients at a name server (--broker): routes of --topics topics in turn\n"
	"  latency  from the time a message was due to its arrival at a waiting consumer\n\n"
	"With --rate requests are due at fixed times and latencies count from then, whatever the\n"
	"broker kept waiting. The run ends with --count or --duration, whichever comes first.";

struct bench_options {
	char *namesrv, *broker, *topic, *group, *mode, *histogram;
	int64_t connections, in_flight, size, batch, queues, topics, rate, count, pid;
	double duration, warmup;
	gboolean spin;
};

static int parse(const struct cli_command *self, struct bench_options *o, int *argc, char **argv)
{
	const GOptionEntry entries[] = {
		{"namesrv", 'n', 0, G_OPTION_ARG_STRING, &o->namesrv, ROUTE_NAMESRV_HELP, "LIST"},
		{"broker", 'b', 0, G_OPTION_ARG_STRING, &o->broker,
		 "Ask this broker, without a name server", "HOST:PORT"},
		{"topic", 't', 0, G_OPTION_ARG_STRING, &o->topic, "Topic (gantry_bench)", "TOPIC"},
		{"group", 'g', 0, G_OPTION_ARG_STRING, &o->group, "Group (gantry_bench)", "GROUP"},
		{"mode", 'm', 0, G_OPTION_ARG_STRING, &o->mode,
		 "send (default), pull, latency or route", "MODE"},
		{"connections", 'c', 0, G_OPTION_ARG_INT64, &o->connections, "Connections (8)",
		 "N"},
		{"in-flight", 'f', 0, G_OPTION_ARG_INT64, &o->in_flight,
		 "Requests in flight on each connection (64)", "N"},
		{"size", 's', 0, G_OPTION_ARG_INT64, &o->size, "Bytes of a body (128)", "BYTES"},
		{"batch", 0, 0, G_OPTION_ARG_INT64, &o->batch, "Messages asked for in a pull (32)",
		 "N"},
		{"queues", 'q', 0, G_OPTION_ARG_INT64, &o->queues,
		 "Queues of a topic, with --broker (4)", "N"},
		{"topics", 0, 0, G_OPTION_ARG_INT64, &o->topics,
		 "N topics, named TOPIC_00000 and so on; send and route, with --broker (1)", "N"},
		{"rate", 'r', 0, G_OPTION_ARG_INT64, &o->rate,
		 "Requests a second; 0: as fast as answers come (0, 2000 in mode latency)", "N"},
		{"count", 0, 0, G_OPTION_ARG_INT64, &o->count, "End after N requests", "N"},
		{"duration", 'd', 0, G_OPTION_ARG_DOUBLE, &o->duration, "End after SECONDS (10)",
		 "SECONDS"},
		{"warmup", 'w', 0, G_OPTION_ARG_DOUBLE, &o->warmup,
		 "Run SECONDS before measuring (0)", "SECONDS"},
		{"spin", 0, 0, G_OPTION_ARG_NONE, &o->spin,
		 "Never sleep, on a core of its own: a broker on this machine then need not wake "
		 "it",
		 NULL},
		{"histogram", 0, 0, G_OPTION_ARG_FILENAME, &o->histogram,
		 "Write the latencies to FILE, in HdrHistogram's percentile form", "FILE"},
		{"pid", 0, 0, G_OPTION_ARG_INT64, &o->pid,
		 "Also measure what this process costs (a broker on this machine)", "PID"},
		{NULL},
	};
	return cli_options(self, entries, argc, argv);
}

/* Checks one option after the other; the first that is wrong is said. */
static int check(const struct bench_options *o, enum load_mode *ret_mode)
{
	enum {
		HOUR = 3600,
		BODY_MAX = 4 * 1024 * 1024,
		BUSY_MAX = 1 << 20,
		QUEUES_MAX = 65536,
		ROUTES_MAX = 1000000,
		TOPIC_MAX = 512
	};
	if (load_mode_find(o->mode, ret_mode))
		return cli_usage("--mode is %s, must be send, pull, latency or route", o->mode);
	int64_t size_min = *ret_mode == LOAD_LATENCY ? PREBUILT_STAMP : 1;
	int wrong = cli_range("--connections", o->connections, 1, 10000);
	wrong = wrong ? wrong : cli_range("--in-flight", o->in_flight, 1, 65536);
	wrong = wrong ? wrong : cli_range("--size", o->size, size_min, BODY_MAX);
	wrong = wrong ? wrong : cli_range("--batch", o->batch, 1, 1024);
	wrong = wrong ? wrong : cli_range("--queues", o->queues, 1, QUEUES_MAX);
	bool routes = *ret_mode == LOAD_ROUTE;
	wrong = wrong ? wrong
		      : cli_range("--topics", o->topics, 1, routes ? ROUTES_MAX : QUEUES_MAX);
	wrong = wrong ? wrong : cli_range("--rate", o->rate, 0, 10000000);
	wrong = wrong ? wrong : cli_range("--count", o->count, 0, INT64_C(1000000000));
	wrong = wrong ? wrong : cli_range("--pid", o->pid, 0, INT32_MAX);
	if (wrong)
		return wrong;
	if (o->connections * o->in_flight > BUSY_MAX)
		return cli_usage("--connections times --in-flight may be %d at most", BUSY_MAX);
	if (routes && (!o->broker || strlen(o->topic) > TOPIC_MAX))
		return cli_usage("--mode route needs --broker, the name server");
	if (o->topics > 1 && ((*ret_mode != LOAD_SEND && !routes) || !o->broker))
		return cli_usage("--topics is for --mode send and route with --broker");
	if (!routes && o->topics * o->queues > QUEUES_MAX)
		return cli_usage("--topics times --queues may be %d at most", QUEUES_MAX);
	if (!(o->duration > 0 && o->duration <= HOUR && o->warmup >= 0 && o->warmup <= HOUR))
		return cli_usage("--duration and --warmup go up to %d seconds", HOUR);
	return 0;
}

static struct load_conf conf_of(const struct bench_options *o, enum load_mode mode)
{
	return (struct load_conf){
		.mode = mode,
		.topic = o->topic,
		.group = o->group,
		.connections = (uint32_t)o->connections,
		.in_flight = (uint32_t)o->in_flight,
		.size = (uint32_t)o->size,
		.batch = (uint32_t)o->batch,
		.topics = (uint32_t)o->topics,
		.rate = (uint64_t)o->rate,
		.count = (uint64_t)o->count,
		.duration_ns = (uint64_t)(o->duration * 1e9),
		.warmup_ns = (uint64_t)(o->warmup * 1e9),
		.spin = o->spin,
		.pid = (int)o->pid,
	};
}

static int find_route(const struct bench_options *o, enum load_mode mode, struct route **ret)
{
	if (!o->broker)
		return route_find(o->namesrv, o->topic, mode != LOAD_PULL, ret);
	*ret = route_direct(o->broker, (int32_t)o->queues);
	return 0;
}

static int report(const struct load *load, const char *histogram)
{
	int failed = histogram ? report_histogram(load, histogram) : 0;
	if (failed)
		cli_error("%s: %s", histogram, g_strerror(-failed));
	if (cli_json())
		report_json(load);
	else
		report_text(load);
	if (load->refused) {
		cli_error("%llu requests were refused; the first answer was %s",
			  (unsigned long long)load->refused, load->refused_why);
		return CLI_REFUSED;
	}
	return failed ? CLI_FAILED : CLI_DONE;
}

static int run_load(const struct load_conf *conf, const struct route *route, const char *histogram)
{
	struct load *load = g_new0(struct load, 1);
	load->conf = conf;
	histogram_clear(&load->latency);
	int exit_code = load_prepare(load, route);
	if (!exit_code)
		exit_code = load_connect(load);
	if (!exit_code)
		exit_code = load_run(load);
	if (!exit_code)
		exit_code = report(load, histogram);
	load_close(load);
	load_unprepare(load);
	g_free(load);
	return exit_code;
}

/* What was not given. */
static void fill_in(struct bench_options *o)
{
	o->topic = o->topic ? o->topic : g_strdup("gantry_bench");
	o->group = o->group ? o->group : g_strdup("gantry_bench");
	o->mode = o->mode ? o->mode : g_strdup("send");
	if (o->rate < 0)
		o->rate = strcmp(o->mode, "latency") ? 0 : 2000;
}

static void free_options(struct bench_options *o)
{
	g_free(o->namesrv);
	g_free(o->broker);
	g_free(o->topic);
	g_free(o->group);
	g_free(o->mode);
	g_free(o->histogram);
}

static int bench(struct bench_options *o)
{
	enum load_mode mode;
	struct usage usage;
	struct route *route = NULL;
	int wrong = check(o, &mode);
	if (wrong)
		return wrong;
	if (o->pid && usage_read((int)o->pid, &usage))
		return cli_usage("--pid: there is no process %lld", (long long)o->pid);
	struct load_conf conf = conf_of(o, mode);
	cli_catch_interrupts();
	int exit_code = find_route(o, mode, &route);
	if (!exit_code)
		exit_code = run_load(&conf, route, o->histogram);
	route_free(route);
	return exit_code;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct bench_options o = {.connections = 8,
				  .in_flight = 64,
				  .size = 128,
				  .batch = 32,
				  .queues = 4,
				  .topics = 1,
				  .rate = -1,
				  .duration = 10};
	int exit_code = parse(self, &o, &argc, argv);
	if (!exit_code && argc > 1)
		exit_code = cli_usage("what is %s?", argv[1]);
	fill_in(&o);
	if (!exit_code)
		exit_code = bench(&o);
	free_options(&o);
	return exit_code;
}

const struct cli_command cli_bench = {
	.name = "bench",
	.summary = "Puts load on a broker and measures what it answers",
	.help = help,
	.run = run,
};
