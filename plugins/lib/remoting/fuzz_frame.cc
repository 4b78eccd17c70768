// SPDX-License-Identifier: Apache-2.0
// Any bytes as a stream of frames, cut with small limits: what is cut lies inside, and what is
// missing is more than there is.
#include <remoting/codec.h>

#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	std::vector<char> bytes(data, data + size);
	remoting_limits limits = {4096, 512};
	const char *why = nullptr;
	size_t at = 0;

	while (at < size) {
		remoting_frame frame = {};
		int64_t code =
			remoting_frame_cut(&limits, bytes.data() + at, size - at, &frame, &why);

		if (code < 0)
			return why ? 0 : (abort(), 0);
		if (code > 0) {
			if (size_t(code) <= size - at || code > 4096)
				abort();
			return 0;
		}
		if (frame.size > size - at || frame.header.at < bytes.data() + at ||
		    frame.header.size + frame.body.size + REMOTING_PREFIX != frame.size)
			abort();
		at += frame.size;
	}
	return 0;
}
