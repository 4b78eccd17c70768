/* SPDX-License-Identifier: Apache-2.0 */
/* The clock and the disks that decide when old files go, in the test's hand, and the files. */
#ifndef BROKER_OUTSIDE_H
#define BROKER_OUTSIDE_H

#include <algorithm>
#include <atomic>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "store/expire.h"
#include "store/internal.h"
#include "world.h"

/* What the broker takes for the time and its disks. */
struct Outside {
	std::atomic<int64_t> now_ms{0};
	std::atomic<int> log{10}, queues{10};

	void give(World &world)
	{
		struct expiry_senses senses = {};

		senses.now_ms = [](void *user) -> int64_t {
			return static_cast<Outside *>(user)->now_ms;
		};
		senses.used_percent = [](const char *path, void *user) -> int {
			bool queues = std::string(path).find("consumequeue") != std::string::npos;
			auto *self = static_cast<Outside *>(user);
			return queues ? self->queues : self->log;
		};
		senses.user = this;
		expiry_set_senses(store_expiry(world.messages()), &senses);
	}
	/* So many whole days from now, at that hour. */
	void set(int days, int hour)
	{
		time_t now = time(nullptr);
		struct tm local;

		localtime_r(&now, &local);
		local.tm_mday += days;
		local.tm_hour = hour;
		local.tm_min = 0; /* tests go on for some minutes */
		local.tm_isdst = -1;
		now_ms = static_cast<int64_t>(mktime(&local)) * 1000;
	}
};

/* What a round removed. */
inline int look(World &world)
{
	int removed = -1;

	world.aside([&] { removed = expiry_round(store_expiry(world.messages())); });
	return removed;
}

/* Waits until all entries of the topic's first queue are in its files. */
inline void written(World &world, const std::string &topic, int32_t id = 0)
{
	queue *queue = store_queue_named(world.messages(), {topic.data(), topic.size()}, id);

	world.until([&] {
		pthread_mutex_lock(&queue->lock);
		bool all = queue->filed == queue->end;
		pthread_mutex_unlock(&queue->lock);
		return all;
	});
}

/* The names in a folder, in order. */
inline std::vector<std::string> names(const std::string &folder)
{
	std::vector<std::string> list;

	if (std::filesystem::exists(folder))
		for (const auto &entry : std::filesystem::directory_iterator(folder))
			list.push_back(entry.path().filename());
	std::sort(list.begin(), list.end());
	return list;
}

#endif
