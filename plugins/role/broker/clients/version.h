/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of clients, as RocketMQ's MQVersion counts and names them. */
#ifndef CLIENT_VERSION_H
#define CLIENT_VERSION_H

#include <stdint.h>

enum {
	CLIENT_V3_0_7_SNAPSHOT =
		28, /* the first that can be told new offsets, or asked for its own */
	CLIENT_V3_1_8_SNAPSHOT = 62, /* the first that can be asked what it does */
};

/* The name of a version before V3_1_8_SNAPSHOT: those that a broker refuses by name. Static. */
const char *client_version_name(int32_t version);

#endif
