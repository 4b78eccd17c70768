/* SPDX-License-Identifier: Apache-2.0 */
/* How far producers and consumers have come: GET_TOPIC_STATS_INFO, GET_CONSUME_STATS,
 * GET_BROKER_CONSUME_STATS and QUERY_CONSUME_TIME_SPAN, as RocketMQ's AdminBrokerProcessor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clients/clients.h"
#include "groups/groups.h"
#include "table/name_set.h"
#include "offsets/offsets.h"
#include "requests/report.h"
#include "stats/stats.h"

/* ---- 202 */

static int write_topic_stats(struct report *report, struct json_writer *writer)
{
	struct topic *topic = topics_find(report->broker->topics, report->topic);
	int32_t queues;

	if (!topic)
		return report_fail(report, GANTRY_TOPIC_NOT_EXIST, "topic[%.*s] not exist",
				   STR_ARGS(report->topic));
	queues = topic_read_queues(topic);
	if (topic_write_queues(topic) > queues)
		queues = topic_write_queues(topic);
	json_open_object(writer);
	json_put_key(writer, "offsetTable");
	json_open_object(writer);
	for (int32_t i = 0; i < queues && !writer->error; i++) {
		int64_t min, max;

		report_bounds(report, topic, i, &min, &max);
		report_write_queue(report, writer, topic, i);
		json_open_object(writer);
		json_member_int(writer, "lastUpdateTimestamp",
				max > 0 ? report_store_ms(report, topic, i, max - 1) : 0);
		json_member_int(writer, "maxOffset", max);
		json_member_int(writer, "minOffset", min);
		json_close_object(writer);
	}
	json_close_object(writer);
	json_put_key(writer, "topicPutTps");
	json_put_double(writer, stats_tps(report->broker->stats, STATS_TOPIC_PUT, topic->name,
					  (struct gantry_str){NULL, 0}));
	json_close_object(writer);
	return 0;
}

static int get_topic_stats(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct report ask = {.broker = broker};

	if (call_need_text(call, "topic", &ask.topic))
		return 0;
	return report_run(&ask, call, op, write_topic_stats);
}

/* ---- 208 and 317 */

struct progress { /* of one or more topics */
	double tps;
	int64_t behind, in_flight; /* RocketMQ's diff and inflight diff */
};

static int64_t offset_or_0(int64_t offset)
{
	return offset < 0 ? 0 : offset;
}

static void write_progress(struct report *report, struct json_writer *writer, struct topic *topic,
			   struct gantry_str group, int32_t id, bool pulled,
			   struct progress *progress)
{
	struct offsets *offsets = report->broker->offsets;
	int64_t min, max, consumed, pull = 0, ms = 0;

	report_bounds(report, topic, id, &min, &max);
	consumed = offset_or_0(offsets_get(offsets, group, topic->name, id));
	if (pulled) {
		pull = offsets_pulled(offsets, group, topic->name, id);
		if (pull < consumed)
			pull = consumed;
	}
	if (consumed > 0)
		ms = offset_or_0(report_store_ms(report, topic, id, consumed - 1));
	progress->behind += max - consumed;
	progress->in_flight += pull - consumed;
	report_write_queue(report, writer, topic, id);
	json_open_object(writer);
	json_member_int(writer, "brokerOffset", max);
	json_member_int(writer, "consumerOffset", consumed);
	json_member_int(writer, "lastTimestamp", ms);
	json_member_int(writer, "pullOffset", pull);
	json_close_object(writer);
}

/* Whether the group, if its members are online, still subscribes the topic. */
static bool is_subscribed(struct broker *broker, struct gantry_str group, struct gantry_str topic)
{
	struct subscription_info info = {0};

	if (!clients_subscription_count(broker->clients, group))
		return true;
	clients_subscription_any(broker->clients, group, topic, &info);
	if (info.topic_known)
		subscription_release(info.subscription);
	return info.topic_known;
}

static void add_given(struct gantry_str list, struct name_set *ret)
{
	size_t from = 0;

	for (size_t i = 0; i <= list.size; i++) {
		struct gantry_str name = {list.at + from, i - from};

		if (i < list.size && list.at[i] != ';')
			continue;
		if (name.size)
			name_set_add(ret, name);
		from = i + 1;
	}
}

static void choose_topics(struct report *report, struct name_set *ret)
{
	struct table_entry **sorted = NULL;
	size_t count;

	if (!str_blank(report->topics))
		add_given(report->topics, ret);
	if (ret->table.count)
		return;
	if (str_blank(report->topic))
		offsets_topics_of(report->broker->offsets, report->group, ret);
	else
		name_set_add(ret, report->topic);
	if (name_set_sorted(ret, &sorted))
		return;
	count = ret->table.count;
	for (size_t i = 0; i < count; i++)
		if (!is_subscribed(report->broker, report->group, sorted[i]->key))
			name_set_remove(ret, sorted[i]->key);
	free(sorted);
}

static int write_consume_stats(struct report *report, struct json_writer *writer)
{
	struct progress progress = {0};
	struct name_set topics = {0};
	struct table_entry **sorted = NULL;
	int err;

	choose_topics(report, &topics);
	err = name_set_sorted(&topics, &sorted);
	json_open_object(writer);
	json_put_key(writer, "offsetTable");
	json_open_object(writer);
	for (size_t i = 0; !err && i < topics.table.count; i++) {
		struct topic *topic = topics_find(report->broker->topics, sorted[i]->key);

		if (!topic)
			continue;
		for (int32_t id = 0; id < topic_read_queues(topic) && !writer->error; id++)
			write_progress(report, writer, topic, report->group, id, true, &progress);
		progress.tps += stats_tps(report->broker->stats, STATS_GROUP_GET, topic->name,
					  report->group);
	}
	json_close_object(writer);
	json_put_key(writer, "consumeTps");
	json_put_double(writer, progress.tps);
	json_close_object(writer);
	free(sorted);
	name_set_clear(&topics);
	return err;
}

static int get_consume_stats(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct report ask = {.broker = broker};

	if (call_need_text(call, "consumerGroup", &ask.group))
		return 0;
	ask.topic = call_text(call, "topic");
	ask.topics = call_text(call, "topicList");
	return report_run(&ask, call, op, write_consume_stats);
}

/* One topic of a group, as an element of GET_BROKER_CONSUME_STATS. */
static void write_of_group(struct report *report, struct json_writer *writer,
			   struct gantry_str group, struct topic *topic, struct progress *progress)
{
	json_open_object(writer);
	json_put_key(writer, "consumeTps");
	json_put_double(writer,
			stats_tps(report->broker->stats, STATS_GROUP_GET, topic->name, group));
	json_put_key(writer, "offsetTable");
	json_open_object(writer);
	for (int32_t id = 0; id < topic_write_queues(topic) && !writer->error; id++)
		write_progress(report, writer, topic, group, id, false, progress);
	json_close_object(writer);
	json_close_object(writer);
}

static int write_group(struct report *report, struct json_writer *writer, struct gantry_str group,
		       struct progress *progress)
{
	struct name_set topics = {0};
	struct table_entry **sorted = NULL;
	int err;

	offsets_topics_of(report->broker->offsets, group, &topics);
	err = name_set_sorted(&topics, &sorted);
	json_open_object(writer);
	json_put_key_str(writer, group);
	json_open_array(writer);
	for (size_t i = 0; !err && i < topics.table.count; i++) {
		struct topic *topic = topics_find(report->broker->topics, sorted[i]->key);

		if (topic && (!report->ordered || topic_order(topic)) &&
		    is_subscribed(report->broker, group, topic->name))
			write_of_group(report, writer, group, topic, progress);
	}
	json_close_array(writer);
	json_close_object(writer);
	free(sorted);
	name_set_clear(&topics);
	return err;
}

static int write_broker_consume_stats(struct report *report, struct json_writer *writer)
{
	struct broker *broker = report->broker;
	struct progress progress = {0};
	struct name_set groups = {0};
	struct table_entry **sorted = NULL;
	char address[320];
	int err;

	groups_names(broker->groups, &groups);
	err = name_set_sorted(&groups, &sorted);
	json_open_object(writer);
	snprintf(address, sizeof(address), "%s:%u", broker->ip1, broker_port(broker));
	json_member_string(writer, "brokerAddr", address);
	json_put_key(writer, "consumeStatsList");
	json_open_array(writer);
	for (size_t i = 0; !err && i < groups.table.count; i++)
		err = write_group(report, writer, sorted[i]->key, &progress);
	json_close_array(writer);
	json_member_int(writer, "totalDiff", progress.behind);
	json_member_int(writer, "totalInflightDiff", progress.in_flight);
	json_close_object(writer);
	free(sorted);
	name_set_clear(&groups);
	return err;
}

static int get_broker_consume_stats(struct broker *broker, struct gantry_call *call,
				    struct gantry_op *op)
{
	struct report ask = {.broker = broker, .ordered = call_bool(call, "isOrder", false)};

	return report_run(&ask, call, op, write_broker_consume_stats);
}

/* ---- 303 */

/* Java's UtilAll.timeMillisToHumanString2, with a number sign. */
static void write_time(struct json_writer *writer, const char *name, const char *text_name,
		       int64_t ms)
{
	time_t seconds = ms < 0 ? -1 : ms / 1000;
	struct tm parts;
	char text[64];

	localtime_r(&seconds, &parts);
	snprintf(text, sizeof(text), "%04d-%02d-%02d#%02d:%02d:%02d:%03d", parts.tm_year + 1900,
		 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		 (int)(ms < 0 ? 999 : ms % 1000));
	json_member_int(writer, name, ms);
	json_member_string(writer, text_name, text);
}

static void write_span(struct report *report, struct json_writer *writer, struct topic *topic,
		       int32_t id)
{
	int64_t min, max, consumed, first, last, done, delay = 0;

	report_bounds(report, topic, id, &min, &max);
	first = max > min ? report_store_ms(report, topic, id, min) : -1;
	last = max > min ? report_store_ms(report, topic, id, max - 1) : -1;
	consumed = offsets_get(report->broker->offsets, report->group, topic->name, id);
	done = consumed > 0 ? report_store_ms(report, topic, id, consumed - 1) : first;
	if (consumed < max)
		delay = broker_wall_ms() - report_store_ms(report, topic, id, consumed);
	json_open_object(writer);
	write_time(writer, "consumeTimeStamp", "consumeTimeStampStr", done);
	json_member_int(writer, "delayTime", delay);
	write_time(writer, "maxTimeStamp", "maxTimeStampStr", last);
	json_put_key(writer, "messageQueue");
	report_write_queue(report, writer, topic, id);
	write_time(writer, "minTimeStamp", "minTimeStampStr", first);
	json_close_object(writer);
}

static int write_time_span(struct report *report, struct json_writer *writer)
{
	struct topic *topic = topics_find(report->broker->topics, report->topic);

	if (!topic)
		return report_fail(report, GANTRY_TOPIC_NOT_EXIST, "topic[%.*s] not exist",
				   STR_ARGS(report->topic));
	json_open_object(writer);
	json_put_key(writer, "consumeTimeSpanSet");
	json_open_array(writer);
	for (int32_t id = 0; id < topic_write_queues(topic) && !writer->error; id++)
		write_span(report, writer, topic, id);
	json_close_array(writer);
	json_close_object(writer);
	return 0;
}

static int query_time_span(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct report ask = {.broker = broker, .group = call_text(call, "group")};

	if (call_need_text(call, "topic", &ask.topic))
		return 0;
	return report_run(&ask, call, op, write_time_span);
}

const struct call_row progress_calls[] = {
	{202, "GET_TOPIC_STATS_INFO", get_topic_stats},
	{208, "GET_CONSUME_STATS", get_consume_stats},
	{303, "QUERY_CONSUME_TIME_SPAN", query_time_span},
	{317, "GET_BROKER_CONSUME_STATS", get_broker_consume_stats},
	{0, NULL, NULL},
};
