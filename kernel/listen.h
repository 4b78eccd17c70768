/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel itself asks of listeners. */
#ifndef GK_LISTEN_H
#define GK_LISTEN_H

#include <gantry/loop.h>

GANTRY_BEGIN

/* Closes what inst left. Control thread. Returns how many there were. */
unsigned gk_listeners_close(struct gantry_inst *inst);

/* "0.0.0.0:10911", "[::1]:9876", or "*:9876" for every address: where inst listens on that port;
 * text unknown to the kernel is "*:port". */
void gk_listener_name(const struct gantry_inst *inst, unsigned port, char *ret, size_t size);

GANTRY_END
#endif
