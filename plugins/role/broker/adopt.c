/* SPDX-License-Identifier: Apache-2.0 */
#include "adopt.h"

#include <errno.h>
#include <stdio.h>

static struct json_value table_of(const struct adoption *adoption, const struct json_doc *page)
{
	return json_get(json_root(page), adoption->name);
}

/* One entry that cannot be one refuses the table. */
static int check_page(const struct adoption *adoption, const struct json_doc *page, char *why,
		      size_t why_size)
{
	struct json_value table = table_of(adoption, page);
	struct json_iter it = json_iter(table);

	if (!json_is(table, JSON_OBJECT)) {
		snprintf(why, why_size, "it has no %s", adoption->name);
		return -EINVAL;
	}
	while (json_next(&it)) {
		if (adoption->is_good(&it))
			continue;
		snprintf(why, why_size, "entry %u of %s is no %s", it.value.node, adoption->name,
			 adoption->of);
		return -EINVAL;
	}
	return 0;
}

static int put_page_locked(const struct adoption *adoption, const struct json_doc *page, bool first)
{
	struct json_iter it = json_iter(table_of(adoption, page));
	int err = 0;

	while (!err && json_next(&it))
		err = adoption->put(adoption->user, &it);
	if (!err && adoption->put_rest)
		err = adoption->put_rest(adoption->user, json_root(page), first);
	return err;
}

static void drop_others_locked(const struct adoption *adoption)
{
	struct table_entry *next;

	for (struct table_entry *entry = table_next(adoption->table, NULL); entry; entry = next) {
		next = table_next(adoption->table, entry);
		if (adoption->turn_of(entry) == *adoption->turn)
			continue;
		table_remove(adoption->table, entry);
		adoption->retire(entry);
	}
}

int adopt_pages(const struct adoption *adoption, const struct json_doc *pages, uint32_t count,
		char *why, size_t why_size)
{
	struct data_version version =
		data_version_read(json_get(json_root(&pages[count - 1]), "dataVersion"));
	bool same;
	int err = 0;

	for (uint32_t i = 0; !err && i < count; i++)
		err = check_page(adoption, &pages[i], why, why_size);
	if (err)
		return err;
	pthread_rwlock_wrlock(adoption->lock);
	same = data_version_equal(adoption->version, &version);
	++*adoption->turn;
	for (uint32_t i = 0; !same && !err && i < count; i++)
		err = put_page_locked(adoption, &pages[i], i == 0);
	if (!same && !err) {
		drop_others_locked(adoption);
		*adoption->version = version;
	}
	pthread_rwlock_unlock(adoption->lock);
	if (err)
		snprintf(why, why_size, "%s", err == -ENOSPC ? adoption->full : adoption->failed);
	else if (!same && adoption->file)
		state_changed(adoption->file);
	return err;
}
