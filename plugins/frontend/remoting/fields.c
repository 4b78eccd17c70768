/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a request's fields, in tables that each kind of request has. */
#include "remoting.h"

#include <stdio.h>
#include <string.h>

int field_key(const struct field_name *names, uint32_t count, struct gantry_str name)
{
	for (uint32_t i = 0; i < count; i++)
		if (names[i].size == name.size && memcmp(names[i].name, name.at, name.size) == 0)
			return names[i].key;
	return -1;
}

bool fields_complete(const struct field_name *names, uint32_t count, uint32_t seen, char *why,
		     size_t why_size)
{
	for (uint32_t i = 0; i < count; i++) {
		if (names[i].required && !(seen & 1u << names[i].key)) {
			snprintf(why, why_size, "the custom field <%s> is null", names[i].name);
			return false;
		}
	}
	return true;
}
