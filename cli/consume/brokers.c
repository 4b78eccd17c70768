/* SPDX-License-Identifier: Apache-2.0 */
/* A consumer's connections: one to each broker that has queues of its topic. */
#include <glib.h>
#include <string.h>

#include "../cli.h"
#include "consume.h"

#include <gantry/op.h>

enum { CONNECT_MS = 3000, RETRY_MS = 1000 };

int64_t brokers_find(const struct consumer *consumer, const char *name)
{
	for (uint32_t i = 0; i < consumer->broker_count; i++)
		if (!strcmp(consumer->brokers[i].name, name))
			return i;
	return -1;
}

static void drop_link(struct consumer *consumer, uint32_t index)
{
	struct broker *broker = &consumer->brokers[index];
	link_close(broker->link);
	broker->link = NULL;
	for (uint32_t i = 0; i < consumer->held_count; i++)
		if (consumer->held[i].broker == index)
			consumer->held[i].pulling = false;
}

static void add(struct consumer *consumer, const struct route_broker *from)
{
	consumer->brokers = g_renew(struct broker, consumer->brokers, consumer->broker_count + 1);
	consumer->brokers[consumer->broker_count++] =
		(struct broker){.name = g_strdup(from->name), .address = g_strdup(from->reader)};
}

void brokers_follow(struct consumer *consumer)
{
	const struct route *route = consumer->route;
	for (uint32_t i = 0; i < route->broker_count; i++) {
		int64_t at = brokers_find(consumer, route->brokers[i].name);
		if (at < 0) {
			add(consumer, &route->brokers[i]);
			continue;
		}
		struct broker *broker = &consumer->brokers[at];
		if (!strcmp(broker->address, route->brokers[i].reader))
			continue;
		drop_link(consumer, (uint32_t)at);
		g_free(broker->address);
		broker->address = g_strdup(route->brokers[i].reader);
		broker->retry_ms = 0;
	}
}

void brokers_lost(struct consumer *consumer, uint32_t index, const char *why)
{
	struct broker *broker = &consumer->brokers[index];
	if (!broker->told)
		cli_error("broker %s (%s): %s; trying again", broker->name, broker->address, why);
	broker->told = true;
	broker->retry_ms = gantry_clock_ms() + RETRY_MS;
	drop_link(consumer, index);
}

void brokers_connect(struct consumer *consumer, link_listener *listener)
{
	for (uint32_t i = 0; i < consumer->broker_count; i++) {
		struct broker *broker = &consumer->brokers[i];
		if (broker->link || broker->retry_ms > gantry_clock_ms())
			continue;
		int failed = link_open(broker->address, CONNECT_MS, &broker->link);
		if (failed) {
			brokers_lost(consumer, i, g_strerror(-failed));
			continue;
		}
		link_listen(broker->link, listener, consumer);
		broker->told = false;
		consumer->heartbeat_ms = consumer->rebalance_ms = 0;
	}
}

void brokers_close(struct consumer *consumer)
{
	for (uint32_t i = 0; i < consumer->broker_count; i++) {
		link_close(consumer->brokers[i].link);
		g_free(consumer->brokers[i].name);
		g_free(consumer->brokers[i].address);
	}
	g_free(consumer->brokers);
}
