/* SPDX-License-Identifier: Apache-2.0 */
/* What a process costs, from /proc. */
#ifndef CLI_BENCH_USAGE_H
#define CLI_BENCH_USAGE_H

#include <gantry/base.h>

GANTRY_BEGIN

struct usage {
	double user_s, system_s; /* CPU seconds since it started; in steps of 10 ms */
	uint64_t anon_kib;       /* RssAnon: private memory */
	uint64_t file_kib;       /* RssFile + RssShmem: mapped files */
};

/* -ESRCH: there is no such process; -EPROTO: /proc says something else than it should. */
int usage_read(int pid, struct usage *ret);

GANTRY_END
#endif
