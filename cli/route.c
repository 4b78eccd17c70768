/* SPDX-License-Identifier: Apache-2.0 */
/* Topic routes from name servers. */
#include "route.h"

#include <errno.h>
#include <glib.h>
#include <json/json.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "cli.h"

enum {
	CODE_ROUTE = 105,
	CODE_CLUSTER = 106,
	CODE_TOPICS = 206,
	PERM_WRITE = 2,
	PERM_READ = 4,
	QUEUES_MAX = 65536, /* of one broker; a larger number is no route */
	CONNECT_MS = 3000,
	SHOWN_MAX = 12, /* names in an error text */
};

void route_free(struct route *route)
{
	if (!route)
		return;
	for (uint32_t i = 0; i < route->broker_count; i++) {
		free(route->brokers[i].name);
		free(route->brokers[i].master);
		free(route->brokers[i].reader);
	}
	g_free(route->brokers);
	g_free(route->writes);
	g_free(route->reads);
	g_free(route);
}

struct route *route_direct(const char *broker, int32_t queue_count)
{
	struct route *route = g_new0(struct route, 1);
	route->brokers = g_new0(struct route_broker, 1);
	route->brokers[0] = (struct route_broker){strdup(broker), strdup(broker), strdup(broker)};
	route->broker_count = 1;
	route->writes = g_new0(struct route_queue, (size_t)queue_count);
	route->reads = g_new0(struct route_queue, (size_t)queue_count);
	route->write_count = route->read_count = (uint32_t)queue_count;
	for (int32_t i = 0; i < queue_count; i++)
		route->writes[i] = route->reads[i] = (struct route_queue){0, i};
	return route;
}

/* ---- reading a route */

static int compare_brokers(const void *a, const void *b)
{
	return strcmp(((const struct route_broker *)a)->name,
		      ((const struct route_broker *)b)->name);
}

static bool read_broker(struct json_value data, struct route_broker *ret)
{
	int64_t lowest = INT64_MAX;
	struct json_value reader = {0};
	struct json_iter it = json_iter(json_get(data, "brokerAddrs"));
	*ret = (struct route_broker){.name = json_strdup(json_get(data, "brokerName"))};
	while (json_next(&it)) {
		int64_t id = json_int64_or(it.key, INT64_MAX);
		if (id == 0)
			ret->master = json_strdup(it.value);
		if (id < lowest) {
			lowest = id;
			reader = it.value;
		}
	}
	ret->reader = json_strdup(reader);
	if (ret->name && ret->reader)
		return true;
	free(ret->name);
	free(ret->master);
	free(ret->reader);
	return false;
}

static void read_brokers(struct json_value datas, struct route *route)
{
	struct json_iter it = json_iter(datas);
	route->brokers = g_try_new0(struct route_broker, json_count(datas) + 1);
	while (route->brokers && json_next(&it))
		if (read_broker(it.value, &route->brokers[route->broker_count]))
			route->broker_count++;
	if (route->broker_count)
		qsort(route->brokers, route->broker_count, sizeof(*route->brokers),
		      compare_brokers);
}

static struct json_value find_queue_data(struct json_value datas, const char *broker)
{
	struct json_iter it = json_iter(datas);
	while (json_next(&it))
		if (json_equals(json_get(it.value, "brokerName"), broker))
			return it.value;
	return (struct json_value){0};
}

/* Collects the queues of all brokers for which perm is set. */
static struct route_queue *read_queues(const struct route *route, struct json_value datas,
				       int64_t perm, int32_t new_queues, uint32_t *ret_count)
{
	const char *number = perm == PERM_WRITE ? "writeQueueNums" : "readQueueNums";
	GArray *queues = g_array_new(FALSE, FALSE, sizeof(struct route_queue));
	for (uint32_t b = 0; b < route->broker_count; b++) {
		struct json_value data = find_queue_data(datas, route->brokers[b].name);
		int64_t count = json_int64_or(json_get(data, number), 0);
		if (!(json_int64_or(json_get(data, "perm"), 0) & perm) || count > QUEUES_MAX)
			continue;
		if (perm == PERM_WRITE && !route->brokers[b].master)
			continue;
		if (new_queues && count > new_queues)
			count = new_queues;
		for (int32_t q = 0; q < count; q++) {
			struct route_queue one = {b, q};
			g_array_append_val(queues, one);
		}
	}
	*ret_count = queues->len;
	return (struct route_queue *)g_array_free(queues, FALSE);
}

int route_read(struct gantry_str body, int32_t new_queues, struct route **ret)
{
	struct json_doc doc;
	if (!body.at || json_parse(body.at, body.size, JSON_LENIENT, NULL, &doc, NULL))
		return -EINVAL;
	struct json_value root = json_root(&doc), queues = json_get(root, "queueDatas");
	struct route *route = g_new0(struct route, 1);
	route->created_by_send = new_queues != 0;
	read_brokers(json_get(root, "brokerDatas"), route);
	route->writes = read_queues(route, queues, PERM_WRITE, new_queues, &route->write_count);
	route->reads = read_queues(route, queues, PERM_READ, new_queues, &route->read_count);
	bool is_route = json_is(queues, JSON_ARRAY);
	json_free(&doc);
	if (!is_route) {
		route_free(route);
		return -EINVAL;
	}
	*ret = route;
	return 0;
}

/* ---- asking */

/* Joins the names of an array or the keys of an object: "a, b, c and 9 more". */
static char *join_names(struct json_value names, bool keys)
{
	GString *text = g_string_new(NULL);
	struct json_iter it = json_iter(names);
	uint32_t shown = 0;
	while (shown < SHOWN_MAX && json_next(&it)) {
		char *name = json_strdup(keys ? it.key : it.value);
		if (name)
			g_string_append_printf(text, "%s%s", shown ? ", " : "", name);
		shown += name != NULL;
		free(name);
	}
	if (json_count(names) > shown)
		g_string_append_printf(text, " and %u more", json_count(names) - shown);
	return g_string_free(text, FALSE);
}

/* What the name server knows, for a person who asked it for something else. */
static char *describe(struct link *link, int32_t code, const char *member, bool keys,
		      const char *what)
{
	struct link_message answer;
	struct json_doc doc;
	if (ask(link, code, NULL, (struct gantry_str){0}, what, &answer) || !answer.body.at ||
	    json_parse(answer.body.at, answer.body.size, JSON_LENIENT, NULL, &doc, NULL))
		return g_strdup_printf("it doesn't tell its %s", what);
	struct json_value names = json_get(json_root(&doc), member);
	g_autofree char *list = join_names(names, keys);
	char *text = json_count(names) ? g_strdup_printf("its %s: %s", what, list)
				       : g_strdup_printf("it has no %s", what);
	json_free(&doc);
	return text;
}

static int no_route(struct link *link, const char *topic)
{
	g_autofree char *brokers = describe(link, CODE_CLUSTER, "brokerAddrTable", true, "brokers");
	g_autofree char *topics = describe(link, CODE_TOPICS, "topicList", false, "topics");
	cli_error("name server %s knows no topic %s (%s; %s)", link_address(link), topic, brokers,
		  topics);
	return CLI_REFUSED;
}

static int ask_route(struct link *link, const char *topic, int32_t new_queues, struct route **ret)
{
	struct fields fields = {0};
	struct link_message answer;
	fields_text(&fields, "topic", topic);
	fields_text(&fields, "acceptStandardJsonOnly", "true");
	int failed = ask(link, CODE_ROUTE, &fields, (struct gantry_str){0}, "for a topic's route",
			 &answer);
	if (failed)
		return failed;
	failed = route_read(answer.body, new_queues, ret);
	return failed ? -EPROTO : 0;
}

static int find_at(struct link *link, const char *topic, bool for_send, struct route **ret)
{
	int failed = ask_route(link, topic, 0, ret);
	if (failed == ASK_TOPIC_NOT_EXIST && for_send)
		failed = ask_route(link, "TBW102", ROUTE_NEW_QUEUES, ret);
	if (failed == ASK_TOPIC_NOT_EXIST)
		return no_route(link, topic);
	if (failed)
		cli_error("%s", ask_why());
	return ask_exit(failed);
}

int route_find(const char *namesrvs, const char *topic, bool for_send, struct route **ret)
{
	const char *environment = g_getenv("NAMESRV_ADDR");
	if (!namesrvs)
		namesrvs = environment && *environment ? environment : "127.0.0.1:9876";
	g_auto(GStrv) list = g_strsplit_set(namesrvs, ";,", -1);
	g_autoptr(GString) tried = g_string_new(NULL);
	for (char **each = list; *each; each++) {
		struct link *link;
		int failed = link_open(g_strstrip(*each), CONNECT_MS, &link);
		if (failed) {
			g_string_append_printf(tried, "%s%s: %s", tried->len ? "; " : "", *each,
					       failed == -EINVAL ? "not HOST:PORT"
								 : g_strerror(-failed));
			continue;
		}
		int exit_code = find_at(link, topic, for_send, ret);
		link_close(link);
		return exit_code;
	}
	cli_error("no name server answers (%s)", tried->str);
	return CLI_UNREACHABLE;
}
