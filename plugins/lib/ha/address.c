/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ha_peer_text(const uv_tcp_t *tcp, char to[HA_ADDRESS_MAX])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char ip[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_storage address;
	int size = sizeof(address);

	snprintf(to, HA_ADDRESS_MAX, "?");
	if (uv_tcp_getpeername(tcp, (struct sockaddr *)&address, &size) != 0)
		return;
	if (address.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&address;

		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
		snprintf(to, HA_ADDRESS_MAX, "%s:%u", ip, ntohs(in->sin_port));
	} else if (address.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
		const uint8_t *bytes = in6->sin6_addr.s6_addr;
		bool v4 = memcmp(bytes, mapped, sizeof(mapped)) == 0;

		inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? bytes + sizeof(mapped) : bytes, ip,
			  sizeof(ip));
		snprintf(to, HA_ADDRESS_MAX, v4 ? "%s:%u" : "[%s]:%u", ip, ntohs(in6->sin6_port));
	}
}

int ha_split_address(struct gantry_str address, char host[HA_HOST_MAX], char port[HA_PORT_MAX])
{
	const char *colon = address.size ? memrchr(address.at, ':', address.size) : NULL;
	const char *from = address.at;
	size_t host_size, port_size;

	if (!colon)
		return -EINVAL;
	host_size = (size_t)(colon - from);
	port_size = address.size - host_size - 1;
	if (host_size >= 2 && from[0] == '[' && from[host_size - 1] == ']') {
		++from;
		host_size -= 2;
	}
	if (host_size == 0 || host_size >= HA_HOST_MAX || port_size == 0 ||
	    port_size >= HA_PORT_MAX || memchr(from, 0, host_size))
		return -EINVAL;
	for (size_t i = 0; i < port_size; ++i) {
		if (colon[1 + i] < '0' || colon[1 + i] > '9')
			return -EINVAL;
	}
	memcpy(host, from, host_size);
	host[host_size] = 0;
	memcpy(port, colon + 1, port_size);
	port[port_size] = 0;
	return strtol(port, NULL, 10) <= UINT16_MAX ? 0 : -EINVAL;
}
