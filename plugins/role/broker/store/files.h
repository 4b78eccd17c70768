/* SPDX-License-Identifier: Apache-2.0 */
/* The store's folders, its lock, and the file that says that it was not closed. All block. */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

int files_make_folders(const char *path);
int files_lock(const char *root); /* a descriptor, or -EBUSY: another broker has it */
int files_make_abort(const char *root);
int files_remove_abort(const char *root);
bool files_has_abort(const char *root);
int files_sync_folder(const char *path);      /* the names in it */
bool files_folder_is_empty(const char *path); /* or is not there */

#ifdef __cplusplus
}
#endif
#endif
