/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: tables of keys and values that remember where each came from. */
#include "conf/private.h"

#include <stdio.h>
#include <string.h>

struct gk_table *gk_table_new(void)
{
	struct gk_table *table = g_new0(struct gk_table, 1);

	table->by_key = g_hash_table_new(g_str_hash, g_str_equal);
	table->all = g_ptr_array_new_with_free_func(g_free);
	return table;
}

void gk_table_free(struct gk_table *table)
{
	if (!table)
		return;
	g_hash_table_destroy(table->by_key);
	g_ptr_array_free(table->all, TRUE);
	g_free(table);
}

struct gk_entry *gk_table_put(struct gk_conf *conf, struct gk_table *table,
			      const struct gk_pair *pair, const char *file, unsigned line)
{
	struct gk_entry *entry = g_new0(struct gk_entry, 1);
	const struct gk_entry *before = gk_table_get(table, pair->key);

	entry->key = gk_keep_text(conf, pair->key);
	entry->value = gk_keep_text(conf, pair->value);
	entry->file = gk_keep_text(conf, file);
	entry->line = line;
	entry->flags = pair->flags;
	if (before && strcmp(before->file, file) == 0)
		entry->earlier = before;
	g_ptr_array_add(table->all, entry);
	g_hash_table_replace(table->by_key, (void *)entry->key, entry);
	return entry;
}

const struct gk_entry *gk_table_get(const struct gk_table *table, const char *key)
{
	return table ? g_hash_table_lookup(table->by_key, key) : NULL;
}

const char *gk_origin(const struct gk_entry *entry, struct gk_origin *to)
{
	if (entry->line)
		snprintf(to->text, sizeof(to->text), "%.300s:%u", entry->file, entry->line);
	else
		snprintf(to->text, sizeof(to->text), "%.300s", entry->file);
	return to->text;
}
