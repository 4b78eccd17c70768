/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram of latencies: log-linear buckets, so that every value keeps about two digits and
 * recording one costs a few instructions and no memory. One thread; plain memory, no pointers. */
#ifndef CLI_BENCH_HISTOGRAM_H
#define CLI_BENCH_HISTOGRAM_H

#include <gantry/base.h>
#include <stdio.h>

GANTRY_BEGIN

enum {
	/* Each power of two is cut into this many equal buckets: a bucket is at most 1/128 wide. */
	HISTOGRAM_STEPS = 128,
	HISTOGRAM_OCTAVES = 36,
	HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * HISTOGRAM_OCTAVES,
};

/* Larger values count as this one: 2^42 - 1 ns, 73 minutes. */
#define HISTOGRAM_MAX ((UINT64_C(1) << 42) - 1)

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
	uint64_t count, sum, min, max; /* min and max are exact */
};

void histogram_clear(struct histogram *h);

/* Adds one value, in any unit (nanoseconds here). */
void histogram_add(struct histogram *h, uint64_t value);

/* The smallest value that at least percent (0 to 100) of the values do not exceed, within a
 * bucket's width above; 0 when there are none. */
uint64_t histogram_at(const struct histogram *h, double percent);

double histogram_mean(const struct histogram *h);

/* Writes the distribution in the text form of HdrHistogram's percentile output, values divided by
 * unit, which its plotters read. Returns 0, or -EIO. */
int histogram_write(const struct histogram *h, double unit, FILE *to);

GANTRY_END
#endif
