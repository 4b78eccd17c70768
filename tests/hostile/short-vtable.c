/* SPDX-License-Identifier: Apache-2.0 */
/* Offers a vtable that ends before its first call. */
#include "hostile.h"

static const struct hostile_ops ops = {.size = offsetof(struct hostile_ops, act)};
static const struct gantry_service offers[] = {
	{.kind = GANTRY_FILTER, .name = "SHORT", .ops = &ops}, {.kind = 0}};

GANTRY_PLUGIN(hostile_short_vtable, "hostile-short-vtable", .offers = offers)
