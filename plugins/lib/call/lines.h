/* SPDX-License-Identifier: Apache-2.0 */
/* A body of "key=value" lines, as configurations are shown over the network. */
#ifndef CALL_LINES_H
#define CALL_LINES_H

#include <gantry/role.h>

#ifdef __cplusplus
extern "C" {
#endif

struct call_lines { /* all zero is empty */
	char *text; /* from malloc */
	size_t size, room;
	int error;
};

/* For gantry_conf_each(); user is the struct call_lines. */
void call_lines_add(const char *key, const char *value, void *user);
/* Success with these lines as the body; lines are empty then. */
int call_reply_lines(struct gantry_call *call, struct call_lines *lines);

#ifdef __cplusplus
}
#endif
#endif
