/* SPDX-License-Identifier: Apache-2.0 */
/* RocketMQ's TopicConfig: what a topic is, in files, registrations and admin calls. */
#ifndef METADATA_TOPIC_CONFIG_H
#define METADATA_TOPIC_CONFIG_H

#include "json/json.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { /* topic permissions, as RocketMQ's PermName */
       PERM_INHERIT = 1,
       PERM_WRITE = 2,
       PERM_READ = 4,
};
enum topic_filter { TOPIC_SINGLE_TAG, TOPIC_MULTI_TAG };
enum { /* topic_config.sys_flag, as RocketMQ's TopicSysFlag */
       TOPIC_UNIT = 1,
       TOPIC_UNIT_SUB = 2,
};

struct topic_config { /* borrowed texts */
	struct gantry_str name;
	int32_t read_queues, write_queues, perm, sys_flag, filter_type;
	uint32_t order;
	const char *attributes; /* a JSON object of strings; NULL: {} */
};

/* RocketMQ's own defaults: 16 queues each, read and write. */
void topic_config_init(struct topic_config *config, struct gantry_str name);
/* Reads a TopicConfig object; what is missing keeps its default. The name borrows from the
 * document. ret_attributes: from malloc, also in ret->attributes, NULL if there are none; a NULL
 * pointer leaves attributes out.
 * -EINVAL: no object, no name, a name that would be written with escapes; -ENOMEM. */
int topic_config_read(struct json_value object, struct topic_config *ret, char **ret_attributes);
void topic_config_write(struct json_writer *writer, const struct topic_config *config);

const char *topic_filter_name(int32_t filter_type); /* "SINGLE_TAG" */
int topic_filter_of(struct gantry_str name);        /* -EINVAL */

/* Writes a value of another document once more, in this writer's own layout. */
void metadata_copy_json(struct json_writer *writer, struct json_value value);
/* The same as a compact text from malloc; NULL: no memory, or the value is not there. */
char *metadata_json_text(struct json_value value);

#ifdef __cplusplus
}
#endif
#endif
