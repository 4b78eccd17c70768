/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text. */
#ifndef HA_ADDRESS_H
#define HA_ADDRESS_H

#include <gantry/base.h>
#include <uv.h>

enum { HA_ADDRESS_MAX = 64, HA_HOST_MAX = 256, HA_PORT_MAX = 8 };

/* The peer of a connection, "10.0.0.1:4711" or "[v6]:4711"; "?" if it has gone. */
void ha_peer_text(const uv_tcp_t *tcp, char to[HA_ADDRESS_MAX]);
/* "host:port" or "[v6]:port" in its parts. -EINVAL: it is neither. */
int ha_split_address(struct gantry_str address, char host[HA_HOST_MAX], char port[HA_PORT_MAX]);

#endif
