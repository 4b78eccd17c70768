/* SPDX-License-Identifier: Apache-2.0 */
/* QUERY_CONSUME_QUEUE: entries of a ConsumeQueue as they stand in it. */
#include <stdio.h>

#include "clients/clients.h"
#include "requests/report.h"
#include "store/store.h"

enum { UNITS_MAX = 10000 /* of one answer */, TEXT_ROOM = 1024 };

static void write_unit(struct json_writer *writer, const struct queue_unit *unit)
{
	json_open_object(writer);
	json_member_bool(writer, "eval", false);
	json_member_int(writer, "physicOffset", unit->physical_offset);
	json_member_int(writer, "physicSize", unit->size);
	json_member_int(writer, "tagsCode", unit->tags_code);
	json_close_object(writer);
}

static void write_units(struct report *report, struct json_writer *writer, struct queue *queue,
			int64_t end)
{
	struct queue_unit unit;

	for (int64_t at = report->at; at < end && !writer->error; at++) {
		if (queue_read_unit(queue, at, &unit))
			break;
		write_unit(writer, &unit);
	}
}

static void write_subscription(struct report *report, struct json_writer *writer)
{
	struct subscription_info info = {0};
	char text[TEXT_ROOM];

	if (!report->group.at)
		return;
	clients_subscription_any(report->broker->clients, report->group, report->topic, &info);
	if (!info.topic_known) {
		snprintf(text, sizeof(text), "%.*s@%.*s is not online!", STR_ARGS(report->group),
			 STR_ARGS(report->topic));
		json_member_string(writer, "filterData", text);
		return;
	}
	json_member_string(writer, "filterData", "null");
	json_put_key(writer, "subscriptionData");
	subscription_write(writer, info.subscription);
	subscription_release(info.subscription);
}

static struct queue *find_queue(struct report *report)
{
	struct topic *topic = topics_find(report->broker->topics, report->topic);

	return topic ? store_queue_of(report->broker->store, topic, report->queue) : NULL;
}

static int write_queue(struct report *report, struct json_writer *writer)
{
	struct queue *queue = find_queue(report);
	int64_t min, max, end;

	if (!queue)
		return report_fail(report, GANTRY_SYSTEM_ERROR, "%d@%.*s is not exist!",
				   report->queue, STR_ARGS(report->topic));
	queue_bounds(queue, &min, &max);
	if (report->at < min || report->at >= max)
		return report_fail(report, GANTRY_SUCCESS, "Index %lld of %d@%.*s is not exist!",
				   (long long)report->at, report->queue, STR_ARGS(report->topic));
	if (report->count > UNITS_MAX)
		report->count = UNITS_MAX;
	end = report->count <= 0 ? report->at : report->at + report->count;
	json_open_object(writer);
	json_member_int(writer, "maxQueueIndex", max);
	json_member_int(writer, "minQueueIndex", min);
	json_put_key(writer, "queueData");
	json_open_array(writer);
	write_units(report, writer, queue, end < max ? end : max);
	json_close_array(writer);
	write_subscription(report, writer);
	json_close_object(writer);
	return 0;
}

static int query_queue(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct report ask = {
		.broker = broker,
		.group = call_text(call, "consumerGroup"),
		.queue = call_int32(call, "queueId", 0),
		.at = call_int64(call, "index", 0),
		.count = call_int32(call, "count", 0),
	};

	if (call_need_text(call, "topic", &ask.topic))
		return 0;
	return report_run(&ask, call, op, write_queue);
}

const struct call_row queue_view_calls[] = {
	{321, "QUERY_CONSUME_QUEUE", query_queue},
	{0, NULL, NULL},
};
