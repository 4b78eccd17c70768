/* SPDX-License-Identifier: Apache-2.0 */
/* DataVersion as JSON. */
#include "metadata/data_version.h"

bool data_version_equal(const struct data_version *a, const struct data_version *b)
{
	return a->counter == b->counter && a->state_version == b->state_version &&
	       a->timestamp == b->timestamp;
}

void data_version_next(struct data_version *version, int64_t now_ms)
{
	version->timestamp = now_ms;
	version->counter++;
}

struct data_version data_version_read(struct json_value object)
{
	return (struct data_version){
		.counter = json_int64_or(json_get(object, "counter"), 0),
		.state_version = json_int64_or(json_get(object, "stateVersion"), 0),
		.timestamp = json_int64_or(json_get(object, "timestamp"), 0),
	};
}

void data_version_write(struct json_writer *writer, const struct data_version *version)
{
	json_open_object(writer);
	json_member_int(writer, "counter", version->counter);
	json_member_int(writer, "stateVersion", version->state_version);
	json_member_int(writer, "timestamp", version->timestamp);
	json_close_object(writer);
}
