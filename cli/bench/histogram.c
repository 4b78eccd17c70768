/* SPDX-License-Identifier: Apache-2.0 */
/* Log-linear buckets: values below 128 have a bucket each; above, the seven bits that follow the
 * leading one choose among the 128 buckets of that power of two. */
#include "histogram.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { STEP_BITS = 7 };
_Static_assert(HISTOGRAM_STEPS == 1 << STEP_BITS, "the index arithmetic needs a power of two");
_Static_assert(HISTOGRAM_MAX >> (HISTOGRAM_OCTAVES - 1) < 2 * HISTOGRAM_STEPS, "too few octaves");

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

static unsigned bucket_of(uint64_t value)
{
	if (value < HISTOGRAM_STEPS)
		return (unsigned)value;
	unsigned shift = 63 - STEP_BITS - (unsigned)__builtin_clzll(value);
	return shift * HISTOGRAM_STEPS + (unsigned)(value >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_end(unsigned bucket)
{
	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	unsigned shift = bucket / HISTOGRAM_STEPS - 1;
	uint64_t step = bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS;
	return ((step + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	if (value > HISTOGRAM_MAX)
		value = HISTOGRAM_MAX;
	h->counts[bucket_of(value)]++;
	h->count++;
	h->sum += value;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

uint64_t histogram_at(const struct histogram *h, double percent)
{
	if (h->count == 0)
		return 0;
	uint64_t wanted = (uint64_t)ceil((double)h->count * percent / 100);
	uint64_t seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->counts[i];
		if (h->counts[i] && seen >= wanted)
			return bucket_end(i) < h->max ? bucket_end(i) : h->max;
	}
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

int histogram_write(const struct histogram *h, double unit, FILE *to)
{
	uint64_t seen = 0;
	fprintf(to, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && seen < h->count; i++) {
		if (h->counts[i] == 0)
			continue;
		seen += h->counts[i];
		uint64_t value = bucket_end(i) < h->max ? bucket_end(i) : h->max;
		double rest = 1 - (double)seen / (double)h->count;
		fprintf(to, "%12.3f %2.12f %10llu", (double)value / unit, 1 - rest,
			(unsigned long long)seen);
		if (seen < h->count)
			fprintf(to, " %14.2f", 1 / rest);
		fputc('\n', to);
	}
	fprintf(to, "#[Mean = %12.3f, Total count = %llu]\n", histogram_mean(h) / unit,
		(unsigned long long)h->count);
	fprintf(to, "#[Max = %12.3f, Buckets = %d, SubBuckets = %d]\n", (double)h->max / unit,
		HISTOGRAM_OCTAVES, HISTOGRAM_STEPS);
	return ferror(to) ? -EIO : 0;
}
