/* SPDX-License-Identifier: Apache-2.0 */
/* Where state files stand, and what they have in common. */
#ifndef PATHS_H
#define PATHS_H

#include "broker.h"
#include "state/state.h"

/* A state file of that name in storePathRootDir/config. */
int broker_state_new(struct broker *broker, const char *name,
		     int (*encode)(void *user, char **ret, size_t *ret_size),
		     int (*decode)(void *user, const char *text, size_t size, char *why,
				   size_t why_size),
		     void *user, struct state **ret);

/* Reads a state file's text leniently. -EINVAL with the place in why. json_free() ret. */
struct json_doc;
int broker_parse(const char *text, size_t size, struct json_doc *ret, char *why, size_t why_size);
/* The same, and hands its document to take, whose result it returns. */
struct json_value;
int broker_decode(const char *text, size_t size,
		  int (*take)(void *user, struct json_value root, char *why, size_t why_size),
		  void *user, char *why, size_t why_size);

#endif
