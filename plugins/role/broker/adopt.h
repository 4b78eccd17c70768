/* SPDX-License-Identifier: Apache-2.0 */
/* How a slave's table becomes that of its master: as RocketMQ's SlaveSynchronize, but all or
 * nothing, and what is the same stays untouched, so that no entry is away for a moment. */
#ifndef BROKER_ADOPT_H
#define BROKER_ADOPT_H

#include <pthread.h>
#include <stdbool.h>

#include "json/json.h"
#include "metadata/data_version.h"
#include "state/state.h"
#include "table/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table that is adopted; all functions but is_good are called with its lock held for writing. */
struct adoption {
	void *user; /* of the functions */
	pthread_rwlock_t *lock;
	struct table *table;
	struct data_version *version; /* guarded by lock; so is turn */
	uint64_t *turn;               /* how often it was adopted */
	struct state *file;           /* to be written then; may be NULL */
	const char *name, *of;        /* the master's JSON object, and what it is of */
	const char *full, *failed;    /* what -ENOSPC and other errors of put mean */

	/* Whether an entry of the JSON object can be one. */
	bool (*is_good)(const struct json_iter *entry);
	/* A master's entry into the table, marked with the turn; 0 or a negative errno. */
	int (*put)(void *user, const struct json_iter *entry);
	/* Those that have an older turn are taken out of the table, and handed to retire. */
	uint64_t (*turn_of)(const struct table_entry *entry);
	void (*retire)(struct table_entry *entry);
	/* What else such a page has; may be NULL. first: of the pages. 0 or a negative errno. */
	int (*put_rest)(void *user, struct json_value page, bool first);
};

/* pages: what the master answered, in parts; the last one's version counts. 0, also if the version
 * is the same, or a negative errno with a sentence in why. On a worker. */
int adopt_pages(const struct adoption *adoption, const struct json_doc *pages, uint32_t count,
		char *why, size_t why_size);

#ifdef __cplusplus
}
#endif
#endif
