/* SPDX-License-Identifier: Apache-2.0 */
/* Delayed messages, as their tests send and look at them. */
#ifndef BROKER_DELAYED_H
#define BROKER_DELAYED_H

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "session.h"

const char kKeys[] = "messageDelayLevel=0s 1s 1h\n"
		     "flushDelayOffsetInterval=50\n"
		     "delayOffsetUpdateVersionStep=1\n";
const int32_t kNow = 1, kSecond = 2;

inline Sent delayed(int32_t level, const std::string &body, const std::string &more = "")
{
	Sent message;

	message.body = body;
	message.queue = 2;
	message.properties = "DELAY\1" + std::to_string(level) + "\2" + more;
	return message;
}

inline std::vector<std::string> bodies_of(const std::vector<Kept> &list)
{
	std::vector<std::string> all;

	for (const Kept &message : list)
		all.push_back(message.body);
	return all;
}

inline std::string offsets_file(const std::string &root)
{
	std::ifstream file(root + "/config/delayOffset.json");
	std::string text{std::istreambuf_iterator<char>(file), {}};

	text.erase(std::remove_if(text.begin(), text.end(), isspace), text.end());
	return text;
}

inline bool says(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

#endif
