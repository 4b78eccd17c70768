/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run, as text, as JSON, and as a histogram file. */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "load.h"

GANTRY_BEGIN

void report_text(const struct load *load);
/* 0 or -ENOMEM. */
int report_json(const struct load *load);
/* 0, or a negative errno: the file could not be written. */
int report_histogram(const struct load *load, const char *path);

const char *load_mode_name(enum load_mode mode);
/* -EINVAL: there is no such mode. */
int load_mode_find(const char *name, enum load_mode *ret);

GANTRY_END
#endif
