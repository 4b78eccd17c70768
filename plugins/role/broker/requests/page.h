/* SPDX-License-Identifier: Apache-2.0 */
/* A table in pages, as RocketMQ 5.5.0 answers codes 21 and 201: sorted by name, so many entries
 * from a place that holds only for the version that the asker has seen. */
#ifndef PAGE_H
#define PAGE_H

#include "broker.h"
#include "metadata/data_version.h"

#ifdef __cplusplus
extern "C" {
#endif

struct page {
	bool whole; /* everything, as older askers expect */
	uint64_t from, max;
	struct data_version version; /* that from holds for; all 0: none */
};

/* What the request asks for. -EINVAL: it is answered. */
int page_read(const struct broker *broker, struct gantry_call *call, const char *from_field,
	      const char *max_field, struct page *ret);
/* The part of a table of so many entries and that version. page NULL: all. */
void page_cut(const struct page *page, const struct data_version *version, size_t count,
	      size_t *ret_begin, size_t *ret_end);

#ifdef __cplusplus
}
#endif
#endif
