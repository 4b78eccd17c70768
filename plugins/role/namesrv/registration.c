/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations: header, checksum, the JSON forms. */
#include "registration.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "call/fields.h"
#include "call/reply.h"

enum {
	V3_0_11 = 37, /* bodies carry more than topics */
	V5_0_0 = 413, /* compressed bodies carry mappings */
	CRC_MASK = 0x7fffffff,
};

void ns_registration_free(struct ns_registration *registration)
{
	for (uint32_t i = 0; i < registration->mapping_count; i++)
		free(registration->mappings[i].json);
	free(registration->mappings);
	free(registration->topics);
	free(registration->filter_servers);
	free(registration->inflated);
	json_free(&registration->doc);
	*registration = (struct ns_registration){0};
}

/* Room for one more element of an array whose room doubles. */
static void *one_more(void *array, uint32_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return realloc(array, (count ? (size_t)count * 2 : 1) * size);
}

int ns_registration_add_topic(struct ns_registration *registration,
			      const struct topic_config *topic)
{
	struct topic_config *topics =
		one_more(registration->topics, registration->topic_count, sizeof(*topics));

	if (!topics)
		return -ENOMEM;
	registration->topics = topics;
	topics[registration->topic_count++] = *topic;
	return 0;
}

int ns_registration_add_mapping(struct ns_registration *registration, struct json_value object)
{
	struct ns_mapping mapping = {.json = NULL}, *mappings;

	if (!json_raw(json_get(object, "topic"), &mapping.topic) ||
	    !json_raw(json_get(object, "bname"), &mapping.broker))
		return -EINVAL;
	mappings = one_more(registration->mappings, registration->mapping_count, sizeof(*mappings));
	if (!mappings)
		return -ENOMEM;
	registration->mappings = mappings;
	mapping.json = metadata_json_text(object);
	if (!mapping.json)
		return -ENOMEM;
	if (strlen(mapping.json) > NS_CARRIED_MAX) {
		free(mapping.json);
		return -EINVAL;
	}
	mappings[registration->mapping_count++] = mapping;
	return 0;
}

static int read_wrapper(struct ns_registration *registration, struct json_value wrapper)
{
	struct json_iter topics = json_iter(json_get(wrapper, "topicConfigTable"));
	struct json_iter mappings = json_iter(json_get(wrapper, "topicQueueMappingInfoMap"));
	struct topic_config topic;
	int err = 0;

	registration->version = data_version_read(json_get(wrapper, "dataVersion"));
	while (!err && json_next(&topics)) {
		err = topic_config_read(topics.value, &topic, NULL);
		if (!err)
			err = ns_registration_add_topic(registration, &topic);
	}
	while (!err && json_next(&mappings))
		err = ns_registration_add_mapping(registration, mappings.value);
	return err;
}

int ns_registration_set_filter_servers(struct ns_registration *registration,
				       struct json_value servers)
{
	registration->filter_servers = metadata_json_text(servers);
	if (!registration->filter_servers)
		return -ENOMEM;
	return strlen(registration->filter_servers) > NS_CARRIED_MAX ? -EINVAL : 0;
}

int ns_registration_read_json(struct ns_registration *registration, struct gantry_str body,
			      bool topics_alone)
{
	struct json_value root, servers;
	int err;

	registration->filter_servers_given = !topics_alone;
	if (!body.size)
		return 0;
	err = json_parse(body.at, body.size, JSON_LENIENT, NULL, &registration->doc, NULL);
	if (err)
		return err;
	root = json_root(&registration->doc);
	if (!json_is(root, JSON_OBJECT))
		return -EINVAL;
	if (topics_alone)
		return read_wrapper(registration, root);
	servers = json_get(root, "filterServerList");
	if (json_is(servers, JSON_ARRAY) && json_count(servers)) {
		err = ns_registration_set_filter_servers(registration, servers);
		if (err)
			return err;
	}
	return read_wrapper(registration, json_get(root, "topicConfigSerializeWrapper"));
}

/* ---- the compressed form */

/* One zlib stream, inflated into at most NS_REGISTRATION_MAX bytes. */
static int inflate_all(struct gantry_str from, char **ret, size_t *ret_size)
{
	z_stream stream = {.next_in = (Bytef *)(uintptr_t)from.at, .avail_in = (uInt)from.size};
	size_t room = from.size * 8 + 1024;
	char *to = NULL, *more;
	int result = Z_OK;

	if (inflateInit(&stream) != Z_OK)
		return -ENOMEM;
	for (; result == Z_OK; room *= 2) {
		if (room > NS_REGISTRATION_MAX)
			room = NS_REGISTRATION_MAX;
		if (stream.total_out == room || !(more = realloc(to, room)))
			break;
		to = more;
		stream.next_out = (Bytef *)to + stream.total_out;
		stream.avail_out = (uInt)(room - stream.total_out);
		result = inflate(&stream, Z_NO_FLUSH);
		if (result == Z_BUF_ERROR && !stream.avail_out)
			result = Z_OK;
	}
	*ret_size = stream.total_out;
	inflateEnd(&stream);
	if (result == Z_STREAM_END) {
		*ret = to;
		return 0;
	}
	free(to);
	return -EINVAL;
}

static int read_compressed(struct ns_registration *registration, struct gantry_str body,
			   int32_t version)
{
	size_t size = 0;
	int err = inflate_all(body, &registration->inflated, &size);

	if (err)
		return err;
	return ns_registration_read_binary(
		registration, (struct gantry_str){registration->inflated, size}, version >= V5_0_0);
}

/* ---- the header */

static int read_header(struct gantry_call *call, struct ns_registration *ret)
{
	if (call_need_text(call, "brokerName", &ret->broker) ||
	    call_need_text(call, "brokerAddr", &ret->address) ||
	    call_need_text(call, "clusterName", &ret->cluster) ||
	    call_need_int64(call, "brokerId", &ret->id))
		return -EINVAL;
	ret->ha_address = call_text(call, "haServerAddr");
	ret->zone = call_text(call, "__ZONE_NAME");
	ret->timeout_ms = call_int64(call, "heartbeatTimeoutMillis", 0);
	ret->acting_master = call_text(call, "enableActingMaster").at
				     ? call_bool(call, "enableActingMaster", false)
				     : -1;
	if (ret->broker.size <= NS_NAME_MAX && ret->address.size <= NS_NAME_MAX &&
	    ret->cluster.size <= NS_NAME_MAX && ret->ha_address.size <= NS_NAME_MAX &&
	    ret->zone.size <= NS_NAME_MAX)
		return 0;
	call_fail(call, GANTRY_SYSTEM_ERROR, "a name or address is longer than %d bytes",
		  NS_NAME_MAX);
	return -EINVAL;
}

static bool checksum_is_right(const struct gantry_call *call)
{
	int64_t expected = call_int64(call, "bodyCrc32", 0);

	if (!expected)
		return true;
	return (int64_t)(crc32(0, (const Bytef *)call->body.at, (uInt)call->body.size) &
			 CRC_MASK) == expected;
}

/* RocketMQ 5's brokers with compressedRegister=true compress the body and say that they did not. No
 * JSON begins so. */
static const char *hint_for(const struct gantry_call *call)
{
	const uint8_t *bytes = (const uint8_t *)call->body.at;

	if (call_bool(call, "compressed", false) || call->body.size < 2 ||
	    (bytes[0] & 0x0f) != Z_DEFLATED || (bytes[0] << 8 | bytes[1]) % 31)
		return "";
	return ": it is compressed and its header says that it is not, as from brokers of "
	       "RocketMQ 5 with compressedRegister=true, which no name server takes";
}

int ns_registration_read(struct gantry_call *call, struct ns_registration *ret)
{
	int err;

	*ret = (struct ns_registration){0};
	if (read_header(call, ret))
		return -EINVAL;
	if (!checksum_is_right(call)) {
		call_fail(call, GANTRY_SYSTEM_ERROR, "crc32 not match");
		return -EINVAL;
	}
	if (call->client_version >= V3_0_11 && call->body.size &&
	    call_bool(call, "compressed", false))
		err = read_compressed(ret, call->body, call->client_version);
	else
		err = ns_registration_read_json(ret, call->body, call->client_version < V3_0_11);
	if (!err)
		return 0;
	call_fail(call, GANTRY_SYSTEM_ERROR,
		  "RemotingCommandException: Failed to decode RegisterBrokerBody%s",
		  hint_for(call));
	return -EINVAL;
}
