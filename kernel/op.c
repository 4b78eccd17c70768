/* SPDX-License-Identifier: Apache-2.0 */
/* The asynchronous operation. */
#include <gantry/op.h>

#include <time.h>

uint64_t gantry_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
