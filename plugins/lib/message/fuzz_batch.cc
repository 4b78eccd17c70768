// SPDX-License-Identifier: Apache-2.0
// Any bytes as a producer's batch, as properties, as an id and as a list of delay levels.
#include <cstdlib>
#include <string>
#include <vector>

#include "message/batch.h"
#include "message/delay.h"
#include "message/id.h"
#include "message/properties.h"

static void read_batch(gantry_str rest)
{
	const char *end = rest.at + rest.size;
	message_batch_item item;

	while (message_batch_next(&rest, &item) == 1) {
		if (item.body.at + item.body.size > end ||
		    item.properties.at + item.properties.size > end)
			abort();
	}
}

static void read_id(gantry_str id)
{
	gantry_address host;
	uint64_t offset;
	char again[MESSAGE_ID_MAX];

	if (message_offset_id_read(id, &host, &offset))
		return;
	if (message_offset_id(&host, offset, again) != id.size)
		abort();
}

static void join_pieces(gantry_str rest)
{
	gantry_str at[4];
	message_pieces pieces = {at, 0, 4, 0};
	message_property property;
	size_t sum = 0;

	while (message_property_next(&rest, &property))
		if (message_pieces_add(&pieces, property.pair))
			break;
	for (uint32_t i = 0; i < pieces.count; i++)
		sum += at[i].size;
	if (sum != pieces.size)
		abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	std::vector<char> bytes(data, data + size);
	gantry_str text = {bytes.data(), bytes.size()};
	message_delays delays;

	read_batch(text);
	read_id(text);
	join_pieces(text);
	message_java_hash(text);
	message_delays_read(std::string(bytes.begin(), bytes.end()).c_str(), &delays);
	return 0;
}
