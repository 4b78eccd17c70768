// SPDX-License-Identifier: Apache-2.0
// Any bytes as a header: the first says which form. The fast and the full way must agree, and what
// was decoded must survive encoding and decoding.
extern "C" {
#include "decode.h"
}

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace
{

struct Decoded {
	std::vector<gantry_field> fields = std::vector<gantry_field>(REMOTING_FIELDS_MAX);
	std::vector<char> text;
	remoting_scratch scratch = {};
	remoting_header header = {};
	const char *why = nullptr;

	explicit Decoded(size_t size) : text(size + REMOTING_SLACK)
	{
		scratch.fields = fields.data();
		scratch.field_room = uint32_t(fields.size());
		scratch.text = text.data();
		scratch.text_room = text.size();
		header.fields = fields.data();
	}
};

bool same(gantry_str a, gantry_str b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

void expect_same(const remoting_header &a, const remoting_header &b)
{
	if (a.code != b.code || a.language != b.language || a.version != b.version ||
	    a.opaque != b.opaque || a.flag != b.flag || !same(a.remark, b.remark) ||
	    a.field_count != b.field_count)
		abort();
	for (uint32_t i = 0; i < a.field_count; i++)
		if (!same(a.fields[i].name, b.fields[i].name) ||
		    !same(a.fields[i].value, b.fields[i].value))
			abort();
}

void compare_ways(gantry_str text)
{
	Decoded fast(text.size), full(text.size);

	if (remoting_json_fast(text, &fast.scratch, &fast.header, &fast.why) != 1)
		return;
	if (remoting_json_full(text, &full.scratch, &full.header, &full.why) != 0)
		abort();
	fast.header.field_count = fast.scratch.field_used;
	full.header.field_count = full.scratch.field_used;
	expect_same(fast.header, full.header);
}

void encode_and_back(remoting_header header)
{
	// JSON keeps everything; a binary code has 16 bits and empty texts are absent there.
	header.serialization = REMOTING_JSON;
	if (header.language < 0)
		header.language = REMOTING_OTHER;
	std::vector<char> bytes(remoting_encoded_max(&header));
	size_t size = remoting_encode(&header, 0, bytes.data());
	remoting_frame frame;
	remoting_limits limits = {0, REMOTING_FRAME_MAX - 8};

	if (size > bytes.size())
		abort();
	if (remoting_frame_cut(&limits, bytes.data(), size, &frame, nullptr) != 0)
		abort();
	Decoded back(size);
	if (remoting_header_decode(&frame, &back.scratch, &back.header, nullptr) != 0)
		abort();
	expect_same(header, back.header);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	std::string bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
	remoting_frame frame = {{bytes.data(), bytes.size()}, {}, 0, uint32_t(data[0] & 1)};
	Decoded decoded(bytes.size());

	if (frame.serialization == REMOTING_JSON)
		compare_ways(frame.header);
	if (remoting_header_decode(&frame, &decoded.scratch, &decoded.header, &decoded.why) == 0)
		encode_and_back(decoded.header);
	return 0;
}
