/* SPDX-License-Identifier: Apache-2.0 */
/* What every other header of this folder stands on: visibility, borrowed text, addresses.
 *
 * Conventions of the whole interface
 * - A function returns 0 when it is done, a positive value when an operation is pending, and a
 *   negative errno when it failed. Parameters named ret_... stay untouched on failure.
 * - Text is UTF-8. `const char *` is NUL-terminated; struct gantry_str is not.
 * - Times ending in _ms are milliseconds, sizes are bytes. */
#ifndef GANTRY_BASE_H
#define GANTRY_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define GANTRY_BEGIN extern "C" {
#define GANTRY_END }
#else
#define GANTRY_BEGIN
#define GANTRY_END
#endif

#define GANTRY_API __attribute__((visibility("default")))

/* Whether a vtable, which begins with its own size and only grows at its end, has this call. */
#define GANTRY_HAS(ops, call)                                                                      \
	((ops)->size >= offsetof(__typeof__(*(ops)), call) + sizeof((ops)->call) && (ops)->call)

GANTRY_BEGIN

struct gantry_inst; /* one configured use of one plugin; owned by the kernel */
struct gantry_loop; /* one event loop and its thread; owned by the kernel */
struct gantry_op;   /* one asynchronous act, see op.h */

/* Borrowed bytes: who lends them says how long they stay. An absent text has at == NULL. */
struct gantry_str {
	const char *at;
	size_t size;
};

/* An IP endpoint. ip holds 4 or 16 bytes in network order, port is in host order. */
struct gantry_address {
	uint8_t ip[16];
	uint16_t port;
	uint8_t ip_size; /* 4, 16, or 0 when unknown */
	uint8_t reserved;
};

GANTRY_END
#endif
