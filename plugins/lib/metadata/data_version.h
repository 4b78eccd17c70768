/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's DataVersion: what says whether two nodes hold the same table. */
#ifndef METADATA_DATA_VERSION_H
#define METADATA_DATA_VERSION_H

#include "json/json.h"

#ifdef __cplusplus
extern "C" {
#endif

struct data_version {
	int64_t counter, state_version, timestamp; /* timestamp: ms since the epoch */
};

bool data_version_equal(const struct data_version *a, const struct data_version *b);
/* Another change of the table. */
void data_version_next(struct data_version *version, int64_t now_ms);
/* What is missing is 0. */
struct data_version data_version_read(struct json_value object);
/* {"counter":0,"stateVersion":0,"timestamp":1}, as a value. */
void data_version_write(struct json_writer *writer, const struct data_version *version);

#ifdef __cplusplus
}
#endif
#endif
