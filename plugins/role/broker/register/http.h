/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP GET, of a short text. */
#ifndef REGISTER_HTTP_H
#define REGISTER_HTTP_H

#include "remoting/client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fetches http://host:port/path into ret, NUL-terminated, its headers left out. Blocks, for
 * timeout_ms and for what the look-up of the host's name takes: a worker. -EPROTO: no HTTP answer,
 * or another status than 200; -EMSGSIZE: no room; -ETIMEDOUT, -ECONNREFUSED and their like;
 * -ENOENT: there is no such host. */
int http_get(const struct remoting_address *at, const char *path, uint64_t timeout_ms, char *ret,
	     size_t room);

#ifdef __cplusplus
}
#endif
#endif
