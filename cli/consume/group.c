/* SPDX-License-Identifier: Apache-2.0 */
/* Membership of a consumer group: heartbeats, the split of the queues, offsets. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "../cli.h"
#include "consume.h"

#include <gantry/op.h>

enum { RETRY_MS = 1000 };

/* The answer to a question was a no, or none came: the connection is given up only for the latter.
 */
static void note(struct consumer *consumer, uint32_t broker, int failed)
{
	if (failed < 0)
		brokers_lost(consumer, broker, ask_why());
	else if (failed > 0)
		cli_error("%s", ask_why());
}

void group_heartbeat(struct consumer *consumer)
{
	for (uint32_t i = 0; i < consumer->broker_count; i++)
		if (consumer->brokers[i].link)
			note(consumer, i,
			     ask_heartbeat(consumer->brokers[i].link, &consumer->member));
}

static void commit(struct consumer *consumer, struct held *held)
{
	const struct consume_conf *conf = consumer->conf;
	struct link *link = consumer->brokers[held->broker].link;
	int64_t offset = held->offset;
	if (!link || offset == held->committed)
		return;
	int failed = ask_commit(link, conf->group, conf->topic, held->queue, offset);
	if (failed)
		note(consumer, held->broker, failed);
	else
		held->committed = offset;
}

void group_commit(struct consumer *consumer)
{
	for (uint32_t i = 0; i < consumer->held_count; i++)
		commit(consumer, &consumer->held[i]);
}

void group_leave(struct consumer *consumer)
{
	for (uint32_t i = 0; i < consumer->broker_count; i++)
		if (consumer->brokers[i].link)
			note(consumer, i, ask_leave(consumer->brokers[i].link, &consumer->member));
}

/* ---- the split */

void group_share(uint32_t index, uint32_t members, uint32_t count, uint32_t *ret_first,
		 uint32_t *ret_count)
{
	uint32_t each = count / members, more = count % members;
	*ret_count = each + (index < more);
	*ret_first = index * each + (index < more ? index : more);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Asks one broker after the other who is in the group. Finds the place of this member among them;
 * false: nobody knows it yet. */
static bool find_place(struct consumer *consumer, uint32_t *ret_index, uint32_t *ret_members)
{
	for (uint32_t i = 0; i < consumer->broker_count; i++) {
		char **ids;
		if (!consumer->brokers[i].link)
			continue;
		int failed = ask_members(consumer->brokers[i].link, consumer->conf->group, &ids);
		if (failed) {
			note(consumer, i, failed);
			continue;
		}
		guint count = g_strv_length(ids);
		qsort(ids, count, sizeof(*ids), compare_ids);
		const char *self = consumer->member.client_id;
		bool found = false;
		for (guint k = 0; k < count && !found; k++)
			if ((found = !strcmp(ids[k], self)))
				*ret_index = k;
		*ret_members = count;
		g_strfreev(ids);
		return found;
	}
	return false;
}

static bool is_ours(const struct consumer *consumer, const struct held *held, uint32_t first,
		    uint32_t count)
{
	const struct route *route = consumer->route;
	for (uint32_t i = first; i < first + count; i++) {
		const char *name = route->brokers[route->reads[i].broker].name;
		if (route->reads[i].queue == held->queue &&
		    brokers_find(consumer, name) == held->broker)
			return true;
	}
	return false;
}

/* What others have now is taken out first and committed then: answers that come while the broker
 * is asked find no queue to go on with. */
static void drop_lost(struct consumer *consumer, uint32_t first, uint32_t count)
{
	uint32_t kept = 0;
	g_autoptr(GArray) lost = g_array_new(FALSE, FALSE, sizeof(struct held));
	for (uint32_t i = 0; i < consumer->held_count; i++) {
		struct held held = consumer->held[i];
		if (is_ours(consumer, &held, first, count))
			consumer->held[kept++] = held;
		else
			g_array_append_val(lost, held);
	}
	consumer->held_count = kept;
	for (guint i = 0; i < lost->len; i++)
		commit(consumer, &g_array_index(lost, struct held, i));
}

static bool is_held(const struct consumer *consumer, uint32_t broker, int32_t queue)
{
	for (uint32_t i = 0; i < consumer->held_count; i++)
		if (consumer->held[i].broker == broker && consumer->held[i].queue == queue)
			return true;
	return false;
}

/* Where reading begins: at the group's offset, else at the end of the queue that was asked for. */
static int find_offset(struct consumer *consumer, struct link *link, int32_t queue, int64_t *ret)
{
	const struct consume_conf *conf = consumer->conf;
	int failed = ask_committed(link, conf->group, conf->topic, queue, ret);
	if (failed != ASK_NOT_FOUND)
		return failed;
	return conf->from_first ? ask_min_offset(link, conf->topic, queue, ret)
				: ask_max_offset(link, conf->topic, queue, ret);
}

static void take(struct consumer *consumer, const struct route_queue *queue)
{
	const char *name = consumer->route->brokers[queue->broker].name;
	uint32_t broker = (uint32_t)brokers_find(consumer, name);
	struct link *link = consumer->brokers[broker].link;
	struct held held = {.broker = broker, .queue = queue->queue};
	if (!link || is_held(consumer, broker, queue->queue))
		return;
	int failed = find_offset(consumer, link, queue->queue, &held.offset);
	if (failed) {
		note(consumer, broker, failed);
		consumer->rebalance_ms = gantry_clock_ms() + RETRY_MS;
		return;
	}
	if (held.offset < 0)
		held.offset = 0; /* a queue that nothing was ever written to */
	held.committed = -1;
	consumer->held = g_renew(struct held, consumer->held, consumer->held_count + 1);
	consumer->held[consumer->held_count++] = held;
}

void group_rebalance(struct consumer *consumer)
{
	uint32_t index, members, first, count;
	const struct route *route = consumer->route;
	if (!find_place(consumer, &index, &members))
		return;
	group_share(index, members, route->read_count, &first, &count);
	drop_lost(consumer, first, count);
	for (uint32_t i = first; i < first + count; i++)
		take(consumer, &route->reads[i]);
}
