/* SPDX-License-Identifier: Apache-2.0 */
/* What this process takes. */
#ifndef SUPPORT_MEMORY_H
#define SUPPORT_MEMORY_H

#include <fstream>
#include <string>

/* MiB of memory that stand for no file. */
inline size_t anonymous_mib()
{
	std::ifstream file("/proc/self/status");
	std::string word;
	size_t kib = 0;

	while (file >> word)
		if (word == "RssAnon:")
			file >> kib;
	return kib / 1024;
}

#endif
