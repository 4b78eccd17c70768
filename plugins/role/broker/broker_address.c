/* SPDX-License-Identifier: Apache-2.0 */
/* Under which address clients, slaves and message ids find this broker. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker.h"

enum { TEXT_ROOM = INET6_ADDRSTRLEN };

static bool is_bridge(const char *interface)
{
	char path[64 + IF_NAMESIZE];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", interface);
	return access(path, F_OK) == 0;
}

/* How well an address serves: RocketMQ avoids 192.168.x.x if there is another, and prefers IPv4. */
static int worth(const struct ifaddrs *interface)
{
	const struct sockaddr *address = interface->ifa_addr;

	if (!address || !(interface->ifa_flags & IFF_UP) || (interface->ifa_flags & IFF_LOOPBACK) ||
	    is_bridge(interface->ifa_name))
		return 0;
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		return ntohl(v4->sin_addr.s_addr) >> 16 == 0xc0a8 ? 2 : 3;
	}
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? 0 : 1;
	}
	return 0;
}

static void first_address(char *text)
{
	struct ifaddrs *all, *best = NULL;

	snprintf(text, TEXT_ROOM, "127.0.0.1");
	if (getifaddrs(&all))
		return;
	for (struct ifaddrs *at = all; at; at = at->ifa_next)
		if (worth(at) > (best ? worth(best) : 0))
			best = at;
	if (best)
		getnameinfo(best->ifa_addr,
			    best->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
								 : sizeof(struct sockaddr_in6),
			    text, TEXT_ROOM, NULL, 0, NI_NUMERICHOST);
	freeifaddrs(all);
}

static int resolve(struct broker *broker, const char *key, const char *host,
		   struct gantry_address *ret)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found;
	int err = getaddrinfo(host, NULL, &hints, &found);

	if (err == EAI_NONAME || err == EAI_ADDRFAMILY) {
		hints.ai_flags = 0;
		err = getaddrinfo(host, NULL, &hints, &found);
	}
	if (err) {
		gantry_log(broker->inst, ERROR, "%s=%s cannot be resolved: %s", key, host,
			   gai_strerror(err));
		return -EINVAL;
	}
	*ret = (struct gantry_address){0};
	if (found->ai_family == AF_INET) {
		ret->ip_size = 4;
		memcpy(ret->ip, &((const struct sockaddr_in *)(void *)found->ai_addr)->sin_addr, 4);
	} else {
		ret->ip_size = 16;
		memcpy(ret->ip, &((const struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr,
		       16);
	}
	freeaddrinfo(found);
	return 0;
}

static bool is_loopback(const struct gantry_address *address)
{
	static const uint8_t v6[16] = {[15] = 1};

	return address->ip_size == 4 ? address->ip[0] == 127 : memcmp(address->ip, v6, 16) == 0;
}

/* Docker's default bridge: reachable from containers of one host only. */
static bool is_container_only(const struct gantry_address *address)
{
	return address->ip_size == 4 && address->ip[0] == 172 && address->ip[1] == 17;
}

static bool listens_on_loopback_only(const struct broker *broker)
{
	const char *bound = gantry_conf_text(broker->inst, "bindAddress");

	return bound && (strncmp(bound, "127.", 4) == 0 || strcmp(bound, "::1") == 0 ||
			 strcmp(bound, "localhost") == 0);
}

static void warn(const struct broker *broker, const char *key, const char *host,
		 const struct gantry_address *address)
{
	if (is_loopback(address) && !listens_on_loopback_only(broker))
		gantry_log(broker->inst, WARNING,
			   "%s is %s: clients on other hosts will be told to connect to themselves",
			   key, host);
	else if (is_container_only(address))
		gantry_log(broker->inst, WARNING,
			   "%s is %s, the address of a container bridge: clients outside of this "
			   "host will not reach it",
			   key, host);
}

static int find_one(struct broker *broker, const char *key, const char *given, char **ret,
		    struct gantry_address *ret_address)
{
	char text[TEXT_ROOM];
	int err;

	if (!given || !given[0]) {
		first_address(text);
		given = text;
	}
	err = resolve(broker, key, given, ret_address);
	if (err)
		return err;
	free(*ret);
	*ret = strdup(given);
	if (!*ret)
		return -ENOMEM;
	warn(broker, key, given, ret_address);
	return 0;
}

int broker_find_addresses(struct broker *broker)
{
	struct gantry_address second;
	int err = find_one(broker, "brokerIP1", broker->conf->brokerIP1, &broker->ip1,
			   &broker->store_address);

	if (!err)
		err = find_one(broker, "brokerIP2", broker->conf->brokerIP2, &broker->ip2, &second);
	return err;
}

uint16_t broker_port(struct broker *broker)
{
	uint32_t port = __atomic_load_n(&broker->port_found, __ATOMIC_RELAXED);
	const struct gantry_frontend_ops *ops;
	const struct gantry_service *service;
	struct gantry_inst *peer;

	if (port)
		return (uint16_t)port;
	port = (uint32_t)broker->conf->listenPort;
	for (unsigned i = 0;
	     !port && (service = gantry_find_at(broker->inst, GANTRY_FRONTEND, i, &peer)); i++) {
		ops = service->ops;
		port = ops->port(peer);
	}
	__atomic_store_n(&broker->port_found, port, __ATOMIC_RELAXED);
	return (uint16_t)port;
}

void broker_store_host(struct broker *broker, struct gantry_address *ret)
{
	*ret = broker->store_address;
	ret->port = broker_port(broker);
}
