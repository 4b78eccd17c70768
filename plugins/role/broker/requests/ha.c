/* SPDX-License-Identifier: Apache-2.0 */
/* What replication knows of the other nodes, as RocketMQ's HARuntimeInfo; and that this broker has
 * no epochs, which only controllers give, and no timer, of which slaves ask every 3 s. */
#include <gantry/replication.h>

#include <errno.h>
#include <stdlib.h>

#include "requests/call.h"
#include "json/json.h"
#include "store/store.h"

/* Connections: haMaxConnections' most, and as many that are giving way. About 200 bytes tell of
 * one. */
enum { TEXT_MAX = 1024 * 1024, PEERS = 64, PEERS_MAX = 2 * 1024 };

/* Of a slave: its master. NULL: this is a master, or none is known. */
static void write_client(struct json_writer *writer, const struct gantry_replica *leader,
			 uint64_t end)
{
	static const struct gantry_replica none;
	const struct gantry_replica *from = leader ? leader : &none;

	json_put_key(writer, "haClientRuntimeInfo");
	json_open_object(writer);
	json_member_int(writer, "lastReadTimestamp", from->read_ms);
	json_member_int(writer, "lastWriteTimestamp", from->write_ms);
	if (leader)
		json_member_string(writer, "masterAddr", leader->address);
	json_member_int(writer, "masterFlushOffset", (int64_t)from->durable);
	json_member_int(writer, "maxOffset", leader ? (int64_t)end : 0);
	json_member_int(writer, "transferredByteInSecond", (int64_t)from->bytes_per_second);
	json_close_object(writer);
}

static void write_connection(struct json_writer *writer, const struct gantry_replica *peer,
			     uint64_t end)
{
	json_open_object(writer);
	json_member_string(writer, "addr", peer->address);
	/* what is flushed here may have been there before */
	json_member_int(writer, "diff", end > peer->at ? (int64_t)(end - peer->at) : 0);
	json_member_bool(writer, "inSync", (peer->flags & GANTRY_REPLICA_IN_SYNC) != 0);
	json_member_int(writer, "slaveAckOffset", (int64_t)peer->at);
	json_member_int(writer, "transferFromWhere", (int64_t)peer->from);
	json_member_int(writer, "transferredByteInSecond", (int64_t)peer->bytes_per_second);
	json_close_object(writer);
}

static const struct gantry_replica *leader_of(const struct gantry_replica *peers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (peers[i].flags & GANTRY_REPLICA_LEADS)
			return &peers[i];
	return NULL;
}

/* All of them, from malloc; how many may change between two looks. */
static int all_peers(struct broker *broker, struct gantry_replica **ret, unsigned *ret_count)
{
	struct gantry_replica *peers = NULL, *more;
	unsigned room = PEERS, count;

	for (;; room *= 2) {
		more = realloc(peers, room * sizeof(*peers));
		if (!more) {
			free(peers);
			return -ENOMEM;
		}
		peers = more;
		count = store_peers(broker->store, peers, room);
		if (count < room || room >= PEERS_MAX)
			break;
	}
	*ret = peers;
	*ret_count = count;
	return 0;
}

static void write_status(struct broker *broker, struct json_writer *writer,
			 const struct gantry_replica *peers, unsigned count)
{
	bool master = !broker_is_slave(broker);
	uint64_t first = 0, end = 0;
	int64_t in_sync = 0;

	store_bounds(broker->store, &first, &end);
	json_open_object(writer);
	write_client(writer, master ? NULL : leader_of(peers, count), end);
	json_put_key(writer, "haConnectionInfo");
	json_open_array(writer);
	for (unsigned i = 0; master && i < count; i++) {
		write_connection(writer, &peers[i], end);
		in_sync += (peers[i].flags & GANTRY_REPLICA_IN_SYNC) != 0;
	}
	json_close_array(writer);
	json_member_int(writer, "inSyncSlaveNums", in_sync);
	json_member_bool(writer, "master", master);
	json_member_int(writer, "masterCommitLogMaxOffset", master ? (int64_t)end : 0);
	json_close_object(writer);
}

static int get_ha_status(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct gantry_replica *peers = NULL;
	struct json_writer writer;
	unsigned count = 0;
	char *text = NULL;
	size_t size = 0;
	int err = all_peers(broker, &peers, &count);

	(void)op;
	if (err)
		return call_reply_made(call, err, NULL, 0);
	json_writer_init(&writer, TEXT_MAX, 0);
	write_status(broker, &writer, peers, count);
	free(peers);
	err = json_writer_take(&writer, &text, &size);
	return call_reply_made(call, err, text, size);
}

static int get_epochs(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	(void)broker, (void)op;
	return call_fail(call, GANTRY_SYSTEM_ERROR, "this request only for controllerMode ");
}

/* As Java with timerWheelEnable=false: what a slave knows of its own timer stays as it is. */
static int get_timer_point(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	(void)broker, (void)op;
	return call_fail(call, GANTRY_SYSTEM_ERROR, "The checkpoint is null");
}

static int get_timer_metrics(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	(void)broker, (void)op;
	return call_fail(call, GANTRY_SYSTEM_ERROR, "The timer message store is null");
}

const struct call_row ha_calls[] = {
	{60, "GET_TIMER_CHECK_POINT", get_timer_point},
	{61, "GET_TIMER_METRICS", get_timer_metrics},
	{907, "GET_BROKER_HA_STATUS", get_ha_status},
	{1007, "GET_BROKER_EPOCH_CACHE", get_epochs},
	{0, NULL, NULL},
};
