// SPDX-License-Identifier: Apache-2.0
// Writing index files over an area whose nth write fails: tried again, the same files come of it.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

#include "store/index.h"

struct gantry_area { // in memory; refuses one write
	std::vector<uint8_t> bytes;
};

namespace
{

int writes_left = -1; // until one fails; -1: none does
std::vector<gantry_area *> areas;

int open_area(gantry_inst *, const char *, uint64_t bytes, gantry_area **ret, int *ret_made)
{
	*ret = new gantry_area{std::vector<uint8_t>(bytes)};
	areas.push_back(*ret);
	*ret_made = 1;
	return 0;
}

void close_area(gantry_area *)
{
}

int read_area(gantry_area *area, uint64_t at, void *to, uint64_t bytes)
{
	EXPECT_LE(at + bytes, area->bytes.size());
	memcpy(to, area->bytes.data() + at, bytes);
	return 0;
}

int write_area(gantry_area *area, uint64_t at, const void *from, uint64_t bytes)
{
	EXPECT_LE(at + bytes, area->bytes.size());
	if (writes_left == 0) {
		writes_left = -1;
		return -ENOSPC;
	}
	writes_left -= writes_left > 0;
	memcpy(area->bytes.data() + at, from, bytes);
	return 0;
}

const gantry_area_ops ops = {
	sizeof(gantry_area_ops), 0, open_area, close_area, read_area, write_area, nullptr};

// Keys in batches, into files of 3,000 slots, which are on several pages.
struct Writing {
	Writing()
	{
		index.store = &messages;
		index.ops = &ops;
		index.folder = const_cast<char *>("memory");
		index.shape = {3000, 900};
		pthread_mutex_init(&index.lock, nullptr);
		pthread_mutex_init(&index.file_lock, nullptr);
	}
	~Writing()
	{
		while (index.to_sync) {
			index_file *file = index.to_sync;
			index.to_sync = file->next_sync;
			index_release(&index, file);
		}
		index_free_files(&index);
		for (gantry_area *area : areas)
			delete area;
		areas.clear();
		free(index.writing.at);
		free(index.pages);
		free(index.order);
		free(index.bytes);
	}
	// Returns how often a batch had to be written again.
	int write(int batches, int keys)
	{
		int again = 0;
		uint32_t hash = 7;
		for (int batch = 0; batch < batches; batch++) {
			index.writing.at = (index_put *)realloc(index.writing.at,
								(size_t)keys * sizeof(index_put));
			index.writing.used = index.writing.room = (uint32_t)keys;
			for (int i = 0; i < keys; i++) {
				hash = hash * 1103515245 + 12345;
				// many of few slots, some of all
				uint32_t key = i % 3 ? (hash >> 16) % 50 : (hash >> 8) & 0xffffff;
				index.writing.at[i] = {(uint64_t)(batch * keys + i) * 100 + 1,
						       1700000000000 + i, key, 0};
			}
			while (index_write(&index))
				again++;
			EXPECT_EQ(index.writing.used, 0u);
		}
		return again;
	}
	std::vector<std::vector<uint8_t>> files()
	{
		std::vector<std::vector<uint8_t>> all;
		for (gantry_area *area : areas)
			all.push_back(area->bytes);
		return all;
	}
	store messages = {};
	struct index index = {};
};

TEST(IndexWrite, AWriteThatFailsIsMadeGood)
{
	std::vector<std::vector<uint8_t>> good;
	{
		Writing run;
		EXPECT_EQ(run.write(4, 300), 0);
		good = run.files();
		ASSERT_EQ(good.size(), 2u);
	}
	bool failed = true;
	for (int nth = 0; failed; nth++) {
		Writing run;
		writes_left = nth;
		failed = run.write(4, 300) > 0;
		writes_left = -1;
		EXPECT_TRUE(run.files() == good) << "write " << nth << " failed";
		ASSERT_LT(nth, 1000);
	}
}

TEST(IndexWrite, SlotsThatLeadNowhereAreNone)
{
	Writing run;
	run.write(1, 100);
	index_file *file = run.index.files[0];
	uint32_t found = 99;
	EXPECT_EQ(index_follow(&run.index, file, UINT32_MAX, 101, &found), 0);
	EXPECT_EQ(found, 0u);
	EXPECT_EQ(index_follow(&run.index, file, 899, 101, &found), 0);
	EXPECT_EQ(found, 0u);
	EXPECT_EQ(index_follow(&run.index, file, 100, 101, &found), 0);
	EXPECT_EQ(found, 100u);
}

} // namespace
