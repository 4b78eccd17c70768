/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled tag expression: the set of its tags' hashes. */
#ifndef TAGS_H
#define TAGS_H

#include <gantry/filter.h>

#ifdef __cplusplus
extern "C" {
#endif

int tags_compile(struct gantry_str expression, struct gantry_filter **ret, char *why,
		 size_t why_size);
void tags_free(struct gantry_filter *filter);
int tags_match(const struct gantry_filter *filter, int64_t tag_code);

#ifdef __cplusplus
}
#endif
#endif
