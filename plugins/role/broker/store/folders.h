/* SPDX-License-Identifier: Apache-2.0 */
/* The folders of the CommitLog: storePathCommitLog and readOnlyCommitLogStorePaths, which commas
 * separate. As RocketMQ's MultiPathMappedFileQueue, store 5.5.0. */
#ifndef STORE_FOLDERS_H
#define STORE_FOLDERS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FOLDERS_MAX = 16 };

struct folders {
	char *text;                  /* what the names point into */
	const char *at[FOLDERS_MAX]; /* sorted, since RocketMQ spreads files over sorted ones;
					those without new files come last */
	uint32_t count, kept;        /* kept: of them, those that get no new files */
};

/* paths NULL: root/commitlog; kept NULL: none. A folder in both lists gets no new files. -EINVAL:
 * none is left for new files; -E2BIG: more than FOLDERS_MAX. */
int folders_read(const char *paths, const char *kept, const char *root, struct folders *ret);
void folders_free(struct folders *folders);

#ifdef __cplusplus
}
#endif
#endif
