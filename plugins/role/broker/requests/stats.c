/* SPDX-License-Identifier: Apache-2.0 */
/* VIEW_BROKER_STATS_DATA: RocketMQ's BrokerStatsData of one counter. */
#include <errno.h>

#include "requests/call.h"
#include "json/json.h"
#include "stats/stats.h"

enum { TEXT_MAX = 4096 };

static void write_window(struct json_writer *writer, const char *name,
			 const struct stats_window *window)
{
	json_put_key(writer, name);
	json_open_object(writer);
	json_put_key(writer, "avgpt");
	json_put_double(writer, window->avgpt);
	json_member_int(writer, "sum", window->sum);
	json_put_key(writer, "tps");
	json_put_double(writer, window->tps);
	json_close_object(writer);
}

static struct gantry_str or_null(struct gantry_str text)
{
	return text.at ? text : str_of("null");
}

static int view_stats(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_str name = or_null(call_text(call, "statsName"));
	struct gantry_str key = or_null(call_text(call, "statsKey"));
	struct stats_window windows[3];
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	if (stats_windows(broker->stats, name, key, windows))
		return call_fail(call, GANTRY_SYSTEM_ERROR, "The stats <%.*s> <%.*s> not exist",
				 STR_ARGS(name), STR_ARGS(key));
	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	write_window(&writer, "statsDay", &windows[2]);
	write_window(&writer, "statsHour", &windows[1]);
	write_window(&writer, "statsMinute", &windows[0]);
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

const struct call_row stats_calls[] = {
	{315, "VIEW_BROKER_STATS_DATA", view_stats},
	{0, NULL, NULL},
};
