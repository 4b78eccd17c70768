// SPDX-License-Identifier: Apache-2.0
// Any bytes as an IndexFile: two bytes of shape, one of hash, then the file.
#include <cstdlib>
#include <vector>

#include "message/index_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	message_index_shape shape = {data[0], data[1]};
	message_index_search search = {data[2], 0, INT64_MAX};
	int64_t found[64];
	std::vector<uint8_t> file(data + 3, data + size);

	file.resize(message_index_size(&shape));
	int count = message_index_find(file.data(), file.size(), &shape, &search, 64, found);
	if (count > 64 || count >= (int)(shape.entries > 1 ? shape.entries : 1))
		abort();
	return 0;
}
