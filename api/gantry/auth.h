/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication and authorisation: asked by the role before it acts. With no auth service
 * configured everything is allowed. */
#ifndef GANTRY_AUTH_H
#define GANTRY_AUTH_H

#include <gantry/base.h>
#include <gantry/frontend.h>

GANTRY_BEGIN

/* RocketMQ's ACL 2.0 actions */
enum gantry_action {
	GANTRY_ACTION_PUB = 3,
	GANTRY_ACTION_SUB = 4,
	GANTRY_ACTION_CREATE = 5,
	GANTRY_ACTION_UPDATE = 6,
	GANTRY_ACTION_DELETE = 7,
	GANTRY_ACTION_GET = 8,
	GANTRY_ACTION_LIST = 9,
};
enum gantry_resource {
	GANTRY_CLUSTER = 2,
	GANTRY_NAMESPACE = 3,
	GANTRY_TOPIC = 4,
	GANTRY_GROUP = 5
};

struct gantry_principal; /* who a session proved to be; the service's; immutable, any thread */

/* the vtable of a GANTRY_AUTH service */
struct gantry_auth_ops {
	uint32_t size;
	uint32_t reserved;
	/* Checks a request's signature. fields and body are what was signed. -EACCES with the
	 * reason in why. Any thread; does not block. */
	int (*authenticate)(struct gantry_inst *, const struct gantry_session *, int32_t code,
			    const struct gantry_field *fields, uint32_t field_count,
			    struct gantry_str body, const struct gantry_principal **ret, char *why,
			    size_t why_size);
	/* -EACCES with the reason in why. principal NULL: anonymous. */
	int (*authorise)(struct gantry_inst *, const struct gantry_principal *,
			 enum gantry_action action, enum gantry_resource kind,
			 struct gantry_str name, char *why, size_t why_size);
};

GANTRY_END
#endif
