/* SPDX-License-Identifier: Apache-2.0 */
/* Makes brokers ready for load, one question at a time. */
#include "prepare.h"

#include <message/id.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ask.h"
#include "../cli.h"

enum { CONNECT_MS = 3000, BUSY_MS = 30000, PAUSE_MS = 50, QUEUES_MAX = 65536, WARMED_MAX = 4096 };

static void name_topics(struct load *load)
{
	const struct load_conf *conf = load->conf;
	if (conf->topics <= 1)
		return;
	load->topics = g_new0(char *, conf->topics + 1);
	for (uint32_t i = 0; i < conf->topics; i++)
		load->topics[i] = g_strdup_printf("%s_%05u", conf->topic, i);
}

/* A queue of the route in every topic: one send after the other goes to another topic. */
static void add_queues(struct load *load, int32_t queue)
{
	for (uint32_t t = 0; t < load->conf->topics; t++)
		load->queues[load->queue_count++] = (struct load_queue){
			.topic = load->topics ? load->topics[t] : load->conf->topic,
			.target = load->target_count - 1,
			.queue = queue};
}

/* Takes the brokers that have queues, in the route's order, and their queues. */
static int take_queues(struct load *load, const struct route *route)
{
	bool writes = load->conf->mode != LOAD_PULL;
	const struct route_queue *queues = writes ? route->writes : route->reads;
	uint32_t count = writes ? route->write_count : route->read_count;
	const char **targets = g_new0(const char *, route->broker_count + 1);
	load->targets = targets;
	if (count == 0 || count > QUEUES_MAX / load->conf->topics) {
		cli_error("topic %s has %u queues to %s, 1 to %d can be used", load->conf->topic,
			  count, writes ? "write" : "read", QUEUES_MAX);
		return CLI_REFUSED;
	}
	name_topics(load);
	load->queues = g_new0(struct load_queue, (size_t)count * load->conf->topics);
	for (uint32_t i = 0; i < count; i++) {
		const struct route_broker *broker = &route->brokers[queues[i].broker];
		const char *address = writes ? broker->master : broker->reader;
		if (i == 0 || queues[i].broker != queues[i - 1].broker)
			targets[load->target_count++] = address;
		add_queues(load, queues[i].queue);
	}
	return 0;
}

/* Links each queue to the next one of its broker; queues of a broker stand side by side. */
static void link_queues(struct load *load)
{
	uint32_t first = 0;
	for (uint32_t i = 0; i < load->queue_count; i++) {
		bool last = i + 1 == load->queue_count ||
			    load->queues[i + 1].target != load->queues[i].target;
		load->queues[i].next = last ? first : i + 1;
		if (last)
			first = i + 1;
	}
}

static int32_t queues_of_topic(const struct load *load)
{
	return (int32_t)(load->queue_count / load->conf->topics);
}

static int make_frames(struct load *load, const struct gantry_address *local)
{
	for (uint32_t i = 0; i < load->queue_count; i++) {
		struct message_unique unique;
		char key[MESSAGE_ID_MAX + 1] = {0};
		message_unique_init(&unique, local, (uint32_t)getpid(), (uint32_t)load->mark);
		message_unique_next(&unique, cli_now_ms(), key);
		struct prebuilt_spec spec = {
			.group = load->conf->group,
			.topic = load->queues[i].topic,
			.queue = load->queues[i].queue,
			.queue_count = queues_of_topic(load),
			.body_size = load->conf->size,
			.mark = load->conf->mode == LOAD_LATENCY ? load->mark : 0,
			.unique_key = key,
		};
		int failed = prebuilt_make(&spec, &load->queues[i].send);
		if (failed) {
			cli_error("a message of %u bytes: %s", load->conf->size,
				  g_strerror(-failed));
			return CLI_FAILED;
		}
	}
	return 0;
}

/* One message to a queue: creates the topic, and waits out the time in which a cold broker answers
 * that it is busy. */
static int warm_queue(struct load *load, struct link *link, const struct load_queue *queue)
{
	struct ask_send message = {.group = load->conf->group,
				   .topic = queue->topic,
				   .queue = queue->queue,
				   .queue_count = queues_of_topic(load),
				   .body = {"warm-up", strlen("warm-up")}};
	struct ask_sent sent;
	uint64_t until = gantry_clock_ms() + BUSY_MS;
	int failed;
	while ((failed = ask_send(link, &message, &sent)) == ASK_SYSTEM_BUSY &&
	       gantry_clock_ms() < until)
		poll(NULL, 0, PAUSE_MS);
	return failed;
}

/* Where a queue begins and ends; a waiter starts at its end. */
static int find_bounds(struct load *load, struct link *link, struct load_queue *queue)
{
	const char *topic = queue->topic;
	int failed = ask_max_offset(link, topic, queue->queue, &queue->end);
	if (!failed && load->conf->mode == LOAD_LATENCY)
		queue->start = queue->end;
	else if (!failed)
		failed = ask_min_offset(link, topic, queue->queue, &queue->start);
	return failed;
}

/* Very many are left to the load itself, which does not wait for one before the next. */
static bool is_warmed(const struct load *load, uint32_t queue)
{
	return load->queue_count <= WARMED_MAX || queue == 0;
}

static int prepare_target(struct load *load, uint32_t target, struct link *link)
{
	enum load_mode mode = load->conf->mode;
	int failed = 0;
	for (uint32_t i = 0; !failed && i < load->queue_count; i++)
		if (mode != LOAD_PULL && load->queues[i].target == target && is_warmed(load, i))
			failed = warm_queue(load, link, &load->queues[i]);
	if (!failed && mode != LOAD_SEND)
		failed = ask_heartbeat(link, &load->member);
	for (uint32_t i = 0; !failed && i < load->queue_count; i++)
		if (mode != LOAD_SEND && load->queues[i].target == target)
			failed = find_bounds(load, link, &load->queues[i]);
	return failed;
}

static int prepare_targets(struct load *load)
{
	load->links = g_new0(struct link *, load->target_count);
	for (uint32_t t = 0; t < load->target_count; t++) {
		int failed = link_open(load->targets[t], CONNECT_MS, &load->links[t]);
		if (failed) {
			cli_error("broker %s: %s", load->targets[t], g_strerror(-failed));
			return CLI_UNREACHABLE;
		}
		failed = prepare_target(load, t, load->links[t]);
		if (failed) {
			cli_error("%s", ask_why());
			return ask_exit(failed);
		}
	}
	return 0;
}

/* Pulls need something to read: queues that are empty are left out. */
static int drop_empty_queues(struct load *load)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < load->queue_count; i++)
		if (load->queues[i].end > load->queues[i].start)
			load->queues[kept++] = load->queues[i];
	load->queue_count = kept;
	if (kept == 0) {
		cli_error("topic %s holds no messages to pull; `gantry bench --mode send -t %s` "
			  "makes some",
			  load->conf->topic, load->conf->topic);
		return CLI_REFUSED;
	}
	for (uint32_t t = 0; t < load->target_count; t++) {
		bool used = false;
		for (uint32_t i = 0; i < kept; i++)
			used |= load->queues[i].target == t;
		if (!used) {
			cli_error("broker %s holds no messages of topic %s", load->targets[t],
				  load->conf->topic);
			return CLI_REFUSED;
		}
	}
	return 0;
}

/* A name server that is asked for routes: one target, and a "queue" for each topic. */
static int prepare_routes(struct load *load, const struct route *route)
{
	const char **targets = g_new0(const char *, 2);
	targets[0] = route->brokers[0].master;
	load->targets = targets;
	load->target_count = 1;
	name_topics(load);
	load->queues = g_new0(struct load_queue, load->conf->topics);
	add_queues(load, 0);
	link_queues(load);
	return 0;
}

int load_prepare(struct load *load, const struct route *route)
{
	if (load->conf->mode == LOAD_ROUTE)
		return prepare_routes(load, route);
	int exit_code = take_queues(load, route);
	if (exit_code)
		return exit_code;
	load->mark = load_clock_ns() | 1;
	load->member =
		(struct ask_member){.client_id = g_strdup_printf("gantry-bench@%d", getpid()),
				    .group = load->conf->group,
				    .topic = load->conf->topic,
				    .tags = "*",
				    .sub_version = cli_now_ms()};
	exit_code = prepare_targets(load);
	if (!exit_code && load->conf->mode == LOAD_PULL)
		exit_code = drop_empty_queues(load);
	if (exit_code)
		return exit_code;
	struct gantry_address local;
	link_local(load->links[0], &local);
	link_queues(load);
	return load->conf->mode == LOAD_PULL ? 0 : make_frames(load, &local);
}

void load_unprepare(struct load *load)
{
	for (uint32_t i = 0; i < load->queue_count; i++)
		prebuilt_free(&load->queues[i].send);
	for (uint32_t t = 0; load->links && t < load->target_count; t++)
		link_close(load->links[t]);
	g_free(load->links);
	g_free(load->queues);
	g_strfreev(load->topics);
	g_free((void *)load->targets);
	g_free((void *)load->member.client_id);
}
