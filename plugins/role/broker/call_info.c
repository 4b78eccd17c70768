/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker says of itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "call/lines.h"
#include "delay/delay.h"
#include "json/json.h"
#include "store/store.h"

enum { TEXT_MAX = 1024 * 1024 };

static int get_broker_config(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct call_lines lines = {0};
	char version[128];
	int size = snprintf(version, sizeof(version),
			    "{\"counter\":0,\"stateVersion\":0,\"timestamp\":%" PRId64 "}",
			    broker->started_ms);

	(void)op;
	gantry_conf_each(broker->inst, call_lines_add, &lines);
	call_reply_text(call, "version", (struct gantry_str){version, (size_t)size});
	return call_reply_lines(call, &lines);
}

static void put_number(struct json_writer *writer, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	json_member_string(writer, key, text);
}

static void put_runtime(struct json_writer *writer, int64_t ms)
{
	char text[96];

	snprintf(text, sizeof(text),
		 "[ %" PRId64 " days, %" PRId64 " hours, %" PRId64 " minutes, %" PRId64
		 " seconds ]",
		 ms / 86400000, ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60);
	json_member_string(writer, "runtime", text);
}

/* What this build knows of RocketMQ's keys; rates come with the statistics. */
static int get_runtime_info(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	uint64_t first = 0, end = 0;
	struct json_writer writer;
	char *text = NULL;
	size_t size = 0;
	int err;

	(void)op;
	store_bounds(broker->store, &first, &end);
	json_writer_init(&writer, TEXT_MAX, 0);
	json_open_object(&writer);
	json_put_key(&writer, "table");
	json_open_object(&writer);
	json_member_string(&writer, "brokerActive", "true");
	json_member_string(&writer, "brokerVersionDesc", BROKER_VERSION_NAME);
	put_number(&writer, "brokerVersion", BROKER_VERSION);
	put_number(&writer, "bootTimestamp", broker->started_ms);
	put_runtime(&writer, broker_wall_ms() - broker->started_ms);
	put_number(&writer, "startAcceptSendRequestTimeStamp",
		   broker->conf->startAcceptSendRequestTimeStamp);
	put_number(&writer, "commitLogMinOffset", (int64_t)first);
	put_number(&writer, "commitLogMaxOffset", (int64_t)end);
	put_number(&writer, "dispatchBehindBytes",
		   (int64_t)(end - store_dispatched(broker->store)));
	delay_write_runtime(broker, &writer);
	json_close_object(&writer);
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

const struct call_row info_calls[] = {
	{26, "GET_BROKER_CONFIG", get_broker_config},
	{28, "GET_BROKER_RUNTIME_INFO", get_runtime_info},
	{0, NULL, NULL},
};
