/* SPDX-License-Identifier: Apache-2.0 */
/* What is staged goes to its file and to the disk in one go: a write linked with an fsync. */
#ifndef IO_URING_URING_H
#define IO_URING_URING_H

#include "segments/segments.h"

extern const struct segments_flusher uring_flusher;

/* 0 if the kernel lets us have what is needed, or a negative errno: ENOSYS before Linux 5.6, EPERM
 * under kernel.io_uring_disabled or a seccomp filter. Any thread. */
int uring_probe(void);

#endif
