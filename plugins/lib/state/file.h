/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole file into memory, and where state_write_file() lives. */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The text is from malloc, with a NUL after it. -EFBIG: more than max bytes. */
int state_read_file(const char *path, size_t max, char **ret, size_t *ret_size);

#ifdef __cplusplus
}
#endif
#endif
