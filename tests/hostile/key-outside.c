/* SPDX-License-Identifier: Apache-2.0 */
/* Its key's field lies outside of its snapshot. */
#include "hostile.h"

struct conf {
	int64_t inside, outside;
};

static const struct gantry_conf_item keys[] = {
	GANTRY_KEY(INT, struct conf, inside, "inside", .help = "fits"),
	GANTRY_KEY(INT, struct conf, outside, "outside", .help = "does not"),
	{.key = NULL}};
static const struct gantry_lifecycle life = {.size = sizeof(life), .conf_size = sizeof(int64_t)};

GANTRY_PLUGIN(hostile_key_outside, "hostile-key-outside", .keys = keys, .life = &life)
