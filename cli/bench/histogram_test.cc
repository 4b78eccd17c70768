/* SPDX-License-Identifier: Apache-2.0 */
/* The histogram against sorted values. */
#include "histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

class Histogram : public testing::Test
{
      protected:
	void SetUp() override
	{
		histogram_clear(h.get());
	}

	std::string written()
	{
		char *text = nullptr;
		size_t size = 0;
		FILE *to = open_memstream(&text, &size);
		EXPECT_EQ(histogram_write(h.get(), 1000, to), 0);
		fclose(to);
		std::string result(text, size);
		free(text);
		return result;
	}

	std::unique_ptr<histogram> h = std::make_unique<histogram>();
};

TEST_F(Histogram, IsEmptyAtFirst)
{
	EXPECT_EQ(histogram_at(h.get(), 50), 0u);
	EXPECT_EQ(histogram_at(h.get(), 100), 0u);
	EXPECT_EQ(histogram_mean(h.get()), 0);
	EXPECT_NE(written().find("Total count = 0"), std::string::npos);
}

TEST_F(Histogram, KeepsSmallValuesExactly)
{
	for (uint64_t v = 0; v < 200; v++)
		histogram_add(h.get(), v);
	EXPECT_EQ(histogram_at(h.get(), 0.5), 0u);
	EXPECT_EQ(histogram_at(h.get(), 50), 99u);
	EXPECT_EQ(histogram_at(h.get(), 100), 199u);
	EXPECT_EQ(h->min, 0u);
	EXPECT_EQ(h->max, 199u);
	EXPECT_DOUBLE_EQ(histogram_mean(h.get()), 99.5);
}

TEST_F(Histogram, IsWithinOnePercentAtEveryScale)
{
	std::mt19937_64 random(7);
	std::vector<uint64_t> values;
	for (int i = 0; i < 20000; i++) {
		uint64_t value = random() >> (22 + random() % 40);
		values.push_back(value);
		histogram_add(h.get(), value);
	}
	std::sort(values.begin(), values.end());
	for (double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
		size_t rank = (size_t)std::ceil((double)values.size() * percent / 100);
		uint64_t exact = values[rank - 1];
		uint64_t found = histogram_at(h.get(), percent);
		EXPECT_GE(found, exact) << percent;
		EXPECT_LE((double)found, (double)exact * 1.01 + 1) << percent;
	}
}

TEST_F(Histogram, CapsWhatIsTooLarge)
{
	histogram_add(h.get(), UINT64_MAX);
	EXPECT_EQ(h->max, HISTOGRAM_MAX);
	EXPECT_EQ(histogram_at(h.get(), 100), HISTOGRAM_MAX);
	EXPECT_EQ(h->counts[HISTOGRAM_BUCKETS - 1], 1u);
}

TEST_F(Histogram, NeverAnswersMoreThanTheLargestValue)
{
	histogram_add(h.get(), 1000001);
	EXPECT_EQ(histogram_at(h.get(), 50), 1000001u);
}

TEST_F(Histogram, WritesEachBucketOnceUpToTheWhole)
{
	for (int i = 0; i < 99; i++)
		histogram_add(h.get(), 1000);
	histogram_add(h.get(), 50000);
	std::string text = written();
	EXPECT_EQ(text.find("       Value"), 0u);
	EXPECT_NE(text.find("0.990000000000         99         100.00"), std::string::npos) << text;
	EXPECT_NE(text.find("1.000000000000        100\n"), std::string::npos) << text;
	EXPECT_NE(text.find("#[Max =       50.000"), std::string::npos) << text;
}
