/* SPDX-License-Identifier: Apache-2.0 */
/* Names that were found in a table, copied so that its lock can be let go: each once. Not locked:
 * it belongs to who fills it. */
#ifndef NAME_SET_H
#define NAME_SET_H

#include "table/table.h"

#ifdef __cplusplus
extern "C" {
#endif

struct name_set { /* all zero is an empty set */
	struct table table;
	int error; /* 0, or why a name is missing: -ENOMEM */
};

void name_set_add(struct name_set *set, struct gantry_str name);
void name_set_remove(struct name_set *set, struct gantry_str name); /* it need not be there */
/* All names, sorted, in an array from malloc; *ret NULL: there are none. -ENOMEM, also for a name
 * that could not be added. They are valid until the set is cleared. */
int name_set_sorted(const struct name_set *set, struct table_entry ***ret);
void name_set_clear(struct name_set *set);

#ifdef __cplusplus
}
#endif
#endif
