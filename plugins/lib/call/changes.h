/* SPDX-License-Identifier: Apache-2.0 */
/* The body of UPDATE_BROKER_CONFIG and its like: lines as java.util.Properties reads them. */
#ifndef CALL_CHANGES_H
#define CALL_CHANGES_H

#include <stdbool.h>

#include <gantry/conf.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CALL_CHANGES_MAX = 256, CALL_CHANGES_BYTES_MAX = 64 * 1024 };

struct call_changes {
	struct gantry_conf_line list[CALL_CHANGES_MAX]; /* borrows from text */
	uint32_t count;
	char text[];
};

/* From malloc. -EINVAL: too large, no UTF-8, or with NUL bytes; -E2BIG: too many lines; -ENOMEM. */
int call_changes_read(struct gantry_str body, struct call_changes **ret);
/* Whether one of the keys is in a list that is separated by semicolons; NULL is empty. */
bool call_changes_touch(const struct call_changes *changes, const char *list);
/* The response code for an error of gantry_conf_change(). */
int32_t call_changes_code(int err);

#ifdef __cplusplus
}
#endif
#endif
