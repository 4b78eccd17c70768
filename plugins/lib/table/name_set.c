/* SPDX-License-Identifier: Apache-2.0 */
/* A set of copied names. */
#include "table/name_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct name {
	struct table_entry entry;
	char text[];
};

void name_set_add(struct name_set *set, struct gantry_str name)
{
	struct name *copy;

	if (table_find(&set->table, name))
		return;
	copy = malloc(sizeof(*copy) + name.size + 1);
	if (!copy) {
		set->error = -ENOMEM;
		return;
	}
	if (name.size)
		memcpy(copy->text, name.at, name.size);
	copy->text[name.size] = '\0';
	if (table_insert(&set->table, (struct gantry_str){copy->text, name.size}, &copy->entry)) {
		set->error = -ENOMEM;
		free(copy);
	}
}

void name_set_remove(struct name_set *set, struct gantry_str name)
{
	struct table_entry *entry = table_find(&set->table, name);

	if (!entry)
		return;
	table_remove(&set->table, entry);
	free(TABLE_HOLDER(entry, struct name, entry));
}

int name_set_sorted(const struct name_set *set, struct table_entry ***ret)
{
	struct table_entry **sorted = NULL;

	if (set->error)
		return set->error;
	if (set->table.count && !(sorted = table_sorted(&set->table)))
		return -ENOMEM;
	*ret = sorted;
	return 0;
}

void name_set_clear(struct name_set *set)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(&set->table, NULL); entry; entry = next) {
		next = table_next(&set->table, entry);
		free(TABLE_HOLDER(entry, struct name, entry));
	}
	table_clear(&set->table);
	*set = (struct name_set){0};
}
