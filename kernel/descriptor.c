/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a plugin's descriptor: each refusal names the file, the field, and both values. */
#include "loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	LIST_MAX = 256,       /* entries; a longer list has lost its end */
	CONF_SIZE_MAX = 65536 /* bytes of a snapshot */
};

__attribute__((format(printf, 3, 4))) static int refuse(struct gk_error *error, const char *file,
							const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(error->text, sizeof(error->text), "plugin %s: %s", file, text);
	return -ENOEXEC;
}

/* Whether numbers agree: major 0 promises nothing, later ones that the older minor fits. */
static int abi_fits(const struct gantry_plugin *plugin, const struct gantry_plugin *host)
{
	if (plugin->abi_major != host->abi_major)
		return 0;
	return host->abi_major == 0 ? plugin->abi_minor == host->abi_minor
				    : plugin->abi_minor <= host->abi_minor;
}

static int check_head(const struct gantry_plugin *plugin, const char *name, const char *file,
		      const struct gantry_plugin *host, struct gk_error *error)
{
	if (!plugin)
		return refuse(error, file, "its entry function returns no descriptor");
	if (plugin->magic != host->magic)
		return refuse(error, file, "magic is 0x%08x, this gantryd wants 0x%08x",
			      plugin->magic, host->magic);
	if (!abi_fits(plugin, host))
		return refuse(error, file, "abi is %u.%u, this gantryd has %u.%u%s",
			      plugin->abi_major, plugin->abi_minor, host->abi_major,
			      host->abi_minor,
			      host->abi_major == 0 ? " (major 0: only the same minor fits)" : "");
	if (plugin->size != host->size)
		return refuse(error, file, "size is %u, this gantryd wants %u", plugin->size,
			      host->size);
	if (plugin->layout != host->layout)
		return refuse(error, file, "layout is 0x%08x, this gantryd wants 0x%08x",
			      plugin->layout, host->layout);
	if (!plugin->name || strcmp(plugin->name, name) != 0)
		return refuse(error, file, "name is \"%s\", the file's name says \"%s\"",
			      plugin->name ? plugin->name : "", name);
	return 0;
}

/* A service's vtable begins with its size, which must hold at least one call. */
static int check_offers(const struct gantry_plugin *plugin, const char *file,
			struct gk_error *error)
{
	static const uint32_t least = 2 * sizeof(uint32_t) + sizeof(void (*)(void));
	unsigned i = 0;
	for (const struct gantry_service *at = plugin->offers; at && at->kind; at++, i++) {
		if (i == LIST_MAX)
			return refuse(error, file, "offers has more than %d entries", LIST_MAX);
		if (at->kind > GANTRY_TELEMETRY)
			return refuse(error, file, "offers[%u].kind is %u, the last kind is %d", i,
				      at->kind, GANTRY_TELEMETRY);
		if (!at->name || !at->ops)
			return refuse(error, file, "offers[%u] has no %s", i,
				      at->name ? "ops" : "name");
		uint32_t size = *(const uint32_t *)at->ops;
		if (size < least)
			return refuse(error, file,
				      "the vtable of its %s service \"%s\" has size %u, the least "
				      "is %u",
				      gk_kind_name(at->kind), at->name, size, least);
	}
	return 0;
}

static int check_needs(const struct gantry_plugin *plugin, const char *file, struct gk_error *error)
{
	unsigned i = 0;
	for (const struct gantry_need *at = plugin->needs; at && at->kind; at++, i++) {
		if (i == LIST_MAX)
			return refuse(error, file, "needs has more than %d entries", LIST_MAX);
		if (at->kind > GANTRY_TELEMETRY)
			return refuse(error, file, "needs[%u].kind is %u, the last kind is %d", i,
				      at->kind, GANTRY_TELEMETRY);
	}
	return 0;
}

static size_t field_size(const struct gantry_conf_item *item)
{
	if (item->flags & GANTRY_CONF_LIST)
		return sizeof(struct gantry_conf_list);
	switch (item->type) {
	case GANTRY_CONF_BOOL:
		return 1;
	case GANTRY_CONF_ENUM:
		return sizeof(int32_t);
	default:
		return 8;
	}
}

/* The kernel writes where the table points: it must point into the snapshot. */
static int check_keys(const struct gantry_plugin *plugin, const char *file, struct gk_error *error)
{
	uint32_t size = plugin->life ? plugin->life->conf_size : 0;
	unsigned i = 0;
	if (size > CONF_SIZE_MAX)
		return refuse(error, file, "conf_size is %u, the most is %d", size, CONF_SIZE_MAX);
	for (const struct gantry_conf_item *at = plugin->keys; at && at->key; at++, i++) {
		if (i == LIST_MAX * 4)
			return refuse(error, file, "keys has more than %d entries", LIST_MAX * 4);
		if (at->type < GANTRY_CONF_BOOL || at->type > GANTRY_CONF_ADDRESS)
			return refuse(error, file, "key %s: type is %u, the last type is %d",
				      at->key, at->type, GANTRY_CONF_ADDRESS);
		if (at->offset + (uint64_t)field_size(at) > size)
			return refuse(
				error, file, "key %s: its field ends at byte %llu, conf_size is %u",
				at->key, (unsigned long long)(at->offset + field_size(at)), size);
	}
	return 0;
}

static int check_life(const struct gantry_plugin *plugin, const char *file, struct gk_error *error)
{
	const uint32_t least = offsetof(struct gantry_lifecycle, setup);
	if (plugin->life && plugin->life->size < least)
		return refuse(error, file, "life.size is %u, the least is %u", plugin->life->size,
			      least);
	return 0;
}

const char *gk_kind_name(uint32_t kind)
{
	static const char *const names[] = {"",           "storage",  "replication",
					    "allocation", "frontend", "filter",
					    "role",       "auth",     "telemetry"};
	return kind < G_N_ELEMENTS(names) ? names[kind] : "unknown";
}

int gk_descriptor_check(const struct gantry_plugin *plugin, const char *name, const char *file,
			const struct gantry_plugin *host, struct gk_error *error)
{
	int bad = check_head(plugin, name, file, host, error);
	if (!bad)
		bad = check_life(plugin, file, error);
	if (!bad)
		bad = check_offers(plugin, file, error);
	if (!bad)
		bad = check_needs(plugin, file, error);
	if (!bad)
		bad = check_keys(plugin, file, error);
	return bad;
}
