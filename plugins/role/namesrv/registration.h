/* SPDX-License-Identifier: Apache-2.0 */
/* A REGISTER_BROKER request, parsed: header fields, and the body in any of its three forms. */
#ifndef REGISTRATION_H
#define REGISTRATION_H

#include "json/json.h"
#include "metadata/data_version.h"
#include "metadata/topic_config.h"
#include "namesrv.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	NS_NAME_MAX = 512,
	NS_CARRIED_MAX = 64 * 1024,             /* of a text that is only carried through */
	NS_REGISTRATION_MAX = 64 * 1024 * 1024, /* of a body once it is inflated */
};

struct ns_mapping { /* of a static topic */
	struct gantry_str topic, broker;
	char *json; /* its TopicQueueMappingInfo */
};

struct ns_registration {
	/* from the header; borrowed from the call */
	struct gantry_str cluster, broker, address, ha_address, zone;
	int64_t id, timeout_ms; /* timeout_ms 0: RocketMQ's 120 s */
	int acting_master;      /* -1: an old broker that does not say */
	/* from the body; borrowed from what stands below */
	struct data_version version;
	struct topic_config *topics;
	uint32_t topic_count, mapping_count;
	struct ns_mapping *mappings;
	bool filter_servers_given;
	char *filter_servers; /* a JSON array; NULL: none */
	/* memory */
	struct json_doc doc;
	char *inflated;
};

/* 0, or -EINVAL: call is answered as Java does. In both cases ns_registration_free(). */
int ns_registration_read(struct gantry_call *call, struct ns_registration *ret);
void ns_registration_free(struct ns_registration *registration);

/* Parts of it: the JSON body (or, of brokers before 3.0.11, the topics alone), the body that a
 * compressed one inflates to. -EINVAL, -ENOMEM. */
int ns_registration_read_json(struct ns_registration *registration, struct gantry_str body,
			      bool topics_alone);
int ns_registration_read_binary(struct ns_registration *registration, struct gantry_str body,
				bool has_mappings);
int ns_registration_add_mapping(struct ns_registration *registration, struct json_value object);
int ns_registration_set_filter_servers(struct ns_registration *registration,
				       struct json_value servers);
int ns_registration_add_topic(struct ns_registration *registration,
			      const struct topic_config *topic);

#ifdef __cplusplus
}
#endif
#endif
