/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive lists: what an instance owns stands in such lists, so that taking it back needs no
 * search and no allocation. A linked item's next is never NULL; an unlinked one's is. */
#ifndef GK_LIST_H
#define GK_LIST_H

#include <stddef.h>

struct gk_link {
	struct gk_link *next, *prev;
};

/* The struct that a member stands in. */
#define GK_OF(type, member, at) ((type *)(void *)((char *)(at)-offsetof(type, member)))

static inline void gk_list_init(struct gk_link *list)
{
	list->next = list->prev = list;
}

static inline int gk_list_empty(const struct gk_link *list)
{
	return list->next == list;
}

static inline void gk_list_append(struct gk_link *list, struct gk_link *item)
{
	item->next = list;
	item->prev = list->prev;
	list->prev->next = item;
	list->prev = item;
}

/* Returns whether it was in a list. */
static inline int gk_list_remove(struct gk_link *item)
{
	if (!item->next)
		return 0;
	item->next->prev = item->prev;
	item->prev->next = item->next;
	item->next = item->prev = NULL;
	return 1;
}

#endif
