/* SPDX-License-Identifier: Apache-2.0 */
/* What a master that has no slaves says of its replication, as RocketMQ's HARuntimeInfo; and that
 * this broker has no epochs, which only controllers give. */
#include "call.h"
#include "json/json.h"
#include "store/store.h"

enum { TEXT_MAX = 4096 };

static void write_client(struct json_writer *writer)
{
	json_put_key(writer, "haClientRuntimeInfo");
	json_open_object(writer);
	json_member_int(writer, "lastReadTimestamp", 0);
	json_member_int(writer, "lastWriteTimestamp", 0);
	json_member_int(writer, "masterFlushOffset", 0);
	json_member_int(writer, "maxOffset", 0);
	json_member_int(writer, "transferredByteInSecond", 0);
	json_close_object(writer);
}

static int get_ha_status(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
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
	write_client(&writer);
	json_put_key(&writer, "haConnectionInfo");
	json_open_array(&writer);
	json_close_array(&writer);
	json_member_int(&writer, "inSyncSlaveNums", 0);
	json_member_bool(&writer, "master", !broker_is_slave(broker));
	json_member_int(&writer, "masterCommitLogMaxOffset", (int64_t)end);
	json_close_object(&writer);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

static int get_epochs(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	(void)broker, (void)op;
	return call_fail(call, GANTRY_SYSTEM_ERROR, "this request only for controllerMode ");
}

const struct call_row ha_calls[] = {
	{907, "GET_BROKER_HA_STATUS", get_ha_status},
	{1007, "GET_BROKER_EPOCH_CACHE", get_epochs},
	{0, NULL, NULL},
};
