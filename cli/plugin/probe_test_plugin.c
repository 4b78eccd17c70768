/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that probe_test.cc looks at: one that is fine and several that are not. BAD says how. */
#include <gantry/allocation.h>
#include <gantry/plugin.h>
#include <stdlib.h>

enum { GOOD, CRASHES, ENDS, HANGS, HAS_WILD_TEXT };

struct conf {
	int64_t pause;
	int32_t colour;
};

static const char *const colours[] = {"red", "green", NULL};

static const struct gantry_conf_item keys[] = {
	GANTRY_KEY(DURATION, struct conf, pause, "pause", .dflt = "5s", .min = 1, .max = 60000,
		   .unit = "ms", .flags = GANTRY_CONF_RELOAD, .help = "how long to wait"),
	GANTRY_KEY(ENUM, struct conf, colour, "colour", .choices = colours, .help = "which"),
	{NULL},
};

static int assign(const void *conf, const struct gantry_alloc_request *request, uint32_t *ret,
		  uint32_t *ret_count)
{
	(void)conf, (void)request, (void)ret;
	*ret_count = 0;
	return 0;
}

static const struct gantry_allocation_ops ops = {.size = sizeof(ops), .assign = assign};

static const struct gantry_service offers[] = {
	{.kind = GANTRY_ALLOCATION, .caps = 5, .name = "looked-at", .ops = &ops},
	{0},
};

static const struct gantry_need needs[] = {
	{.kind = GANTRY_STORAGE, .name = "mmap"},
	{.kind = GANTRY_AUTH, .flags = GANTRY_NEED_OPTIONAL},
	{0},
};

static const struct gantry_lifecycle life = {.size = sizeof(life),
					     .conf_size = sizeof(struct conf)};

GANTRY_API const struct gantry_plugin *GANTRY_ENTRY(probe)(void);

const struct gantry_plugin *GANTRY_ENTRY(probe)(void)
{
	static const struct gantry_plugin plugin = {
		.magic = GANTRY_MAGIC,
		.size = sizeof(struct gantry_plugin),
		.abi_major = GANTRY_ABI_MAJOR,
		.abi_minor = GANTRY_ABI_MINOR,
		.layout = GANTRY_LAYOUT,
		.name = NAME,
		.version = "1.2",
		.license = "Apache-2.0",
		.summary = BAD == HAS_WILD_TEXT ? (const char *)16 : "to be looked at",
		.offers = offers,
		.needs = needs,
		.keys = keys,
		.life = &life,
	};
	volatile int forever = BAD == HANGS;
	if (BAD == CRASHES)
		__builtin_trap();
	if (BAD == ENDS)
		exit(0);
	while (forever)
		;
	return &plugin;
}
