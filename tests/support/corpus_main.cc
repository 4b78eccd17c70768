// SPDX-License-Identifier: Apache-2.0
// Gives every file of some folders to a fuzzer's function, once: the corpus as a plain test.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++) {
		for (const auto &file : std::filesystem::directory_iterator(argv[i])) {
			std::ifstream in(file.path(), std::ios::binary);
			std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});

			printf("%s\n", file.path().c_str());
			fflush(stdout);
			LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(bytes.data()),
					       bytes.size());
			count++;
		}
	}
	printf("%d files\n", count);
	return count ? 0 : 1;
}
