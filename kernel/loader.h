/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and judging plugins. What cannot be used is refused with a sentence that names the
 * file, the field, and both values. */
#ifndef GK_LOADER_H
#define GK_LOADER_H

#include "conf/conf.h"
#include <gantry/plugin.h>
#include <glib.h>

GANTRY_BEGIN

struct gk_kernel;

/* How files are opened; the kernel knows nothing more of it. */
struct gk_loader_ops {
	/* -ENOEXEC with the system's own reason in why. */
	int (*open)(const char *path, void **ret_handle, char *why, size_t why_size);
	/* NULL if there is none. */
	void *(*symbol)(void *handle, const char *name);
	void (*close)(void *handle);
};
extern const struct gk_loader_ops gk_loader_ltdl; /* not in the static build */

/* a plugin that is part of the program */
struct gk_static_plugin {
	const char *name;
	const struct gantry_plugin *(*entry)(void);
};

struct gk_module {
	char *name, *file;
	void *handle; /* NULL for a part of the program */
	const struct gantry_plugin *plugin;
};

/* The numbers that this build compares a descriptor with. */
#define GK_HOST_DESCRIPTOR                                                                         \
	{                                                                                          \
		.magic = GANTRY_MAGIC, .size = sizeof(struct gantry_plugin),                       \
		.abi_major = GANTRY_ABI_MAJOR, .abi_minor = GANTRY_ABI_MINOR,                      \
		.layout = GANTRY_LAYOUT                                                            \
	}

/* "storage", "role", ...; "unknown" */
const char *gk_kind_name(uint32_t kind);

/* Letters, digits and dashes: a name never leaves the plugin directories. */
int gk_plugin_name_is_good(const char *name);

/* What stands against using this descriptor, which came from file and was looked for under name.
 * host: whose numbers count (this build's; tests pass others). -ENOEXEC with the sentence. */
int gk_descriptor_check(const struct gantry_plugin *plugin, const char *name, const char *file,
			const struct gantry_plugin *host, struct gk_error *error);

/* The directories in force, strongest first: the command line, GANTRY_PLUGIN_PATH, pluginDirs,
 * the default. Free with g_strfreev. */
char **gk_plugin_dirs(const struct gk_kernel *kernel);

/* Opens and checks the plugin; the same one again gives the same module. -ENOENT, -ENOEXEC. */
int gk_module_open(struct gk_kernel *kernel, const char *name, const struct gk_module **ret,
		   struct gk_error *error);
/* Closes all, the newest first. */
void gk_modules_close(struct gk_kernel *kernel);

/* Every plugin that could be opened: builtins and files in the directories, sorted. Free with
 * g_strfreev. */
char **gk_plugin_names(const struct gk_kernel *kernel);

GANTRY_END
#endif
