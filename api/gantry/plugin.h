/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin: what a loadable module exports, how the kernel runs it, how modules find each other.
 *
 * ABI changelog (one line for each addition or break; the newest first)
 *   0.6  storage.h: what was read outlives a kill of the process
 *   0.5  storage.h, replication.h: fetch, follow, peers; role.h: ret_flags
 *   0.4  conf.h: gantry_conf_change
 *   0.3  role.h: remarks of 512 bytes
 *   0.2  guard.h: mapped files that fail
 *   0.1  first interface. Major 0 means that nothing is frozen yet: only an exact minor fits. */
#ifndef GANTRY_PLUGIN_H
#define GANTRY_PLUGIN_H

#include <gantry/base.h>
#include <gantry/conf.h>
#include <gantry/op.h>

GANTRY_BEGIN

#define GANTRY_MAGIC 0x47545259u /* "GTRY" */
#define GANTRY_ABI_MAJOR 0       /* something was removed, moved or re-typed */
#define GANTRY_ABI_MINOR 6       /* something was appended */

enum gantry_kind {
	GANTRY_STORAGE = 1,
	GANTRY_REPLICATION,
	GANTRY_ALLOCATION,
	GANTRY_FRONTEND,
	GANTRY_FILTER,
	GANTRY_ROLE,
	GANTRY_AUTH,
	GANTRY_TELEMETRY,
};

/* what a plugin offers; a list ends with kind 0 */
struct gantry_service {
	uint32_t kind;    /* enum gantry_kind */
	uint32_t caps;    /* bits that the kind's header names */
	const char *name; /* "mmap", "average", "TAG" */
	const void *ops;  /* the kind's const vtable; it begins with uint32_t size */
};

enum { GANTRY_NEED_OPTIONAL = 1 }; /* gantry_need.flags */

/* what a plugin cannot start without; a list ends with kind 0 */
struct gantry_need {
	uint32_t kind;
	uint32_t caps;     /* every one of these bits must be offered */
	uint32_t ops_size; /* the smallest vtable that serves; 0: any */
	uint32_t flags;
	const char *name; /* NULL: whichever of this kind is configured beside the plugin */
};

/* Lifecycle. Every call runs on the control thread. A stage runs for all instances, those that
 * others need first, before the next begins; on the way down everything runs strictly reversed.
 * When a call fails, exactly what was done is undone: an instance whose setup succeeded gets
 * free, one whose start succeeded gets stop and free. Every call may be NULL. */
struct gantry_lifecycle {
	uint32_t size;
	uint32_t conf_size; /* the snapshot struct that keys fill */
	uint32_t inst_size; /* zeroed memory for the instance, gantry_data() */
	uint32_t loop_size; /* zeroed memory per event loop, gantry_loop_data() */
	/* Values are checked: build state; no I/O, no threads. */
	int (*setup)(struct gantry_inst *);
	/* What it needs has started: open, recover. */
	int (*start)(struct gantry_inst *, struct gantry_op *);
	/* Everything has started: listen, register. */
	int (*serve)(struct gantry_inst *);
	/* Take no new work, finish the old. */
	int (*drain)(struct gantry_inst *, struct gantry_op *);
	/* Close; the op says that it is quiet. */
	int (*stop)(struct gantry_inst *, struct gantry_op *);
	/* Accepts a half-built instance. */
	void (*free)(struct gantry_inst *);
	/* SIGHUP changed keys that are marked reloadable. fresh becomes gantry_conf() if this
	 * returns 0; a negative errno keeps the old snapshot. */
	int (*reload)(struct gantry_inst *, const void *fresh);
};

struct gantry_plugin {
	uint32_t magic, size;
	uint16_t abi_major, abi_minor;
	uint32_t layout;  /* GANTRY_LAYOUT */
	const char *name; /* the file's name without .so: kind-name, [a-z0-9-] */
	const char *version, *license, *summary;
	const struct gantry_service *offers;
	const struct gantry_need *needs;     /* may be NULL */
	const struct gantry_conf_item *keys; /* key == NULL ends; may be NULL */
	/* Says what is wrong between keys that are each right; may be NULL. conf: a snapshot. */
	int (*check)(const void *conf, char *why, size_t why_size);
	const struct gantry_lifecycle *life; /* may be NULL: a plugin of pure functions */
};

/* Structs that one side walks by stride or allocates for the other cannot grow within a major:
 * their sizes are compared when a plugin is loaded. */
#define GANTRY_LAYOUT                                                                              \
	((uint32_t)(sizeof(struct gantry_op) << 24 | sizeof(struct gantry_conf_item) << 16 |       \
		    sizeof(struct gantry_service) << 8 | sizeof(struct gantry_need)))

/* The one function that a plugin exports. In the static build, where all plugins live in one
 * program, its name ends in the plugin's name. */
#ifdef GANTRY_STATIC
#define GANTRY_ENTRY(id) gantry_plugin_##id
#else
#define GANTRY_ENTRY(id) gantry_plugin_entry
#endif

/* GANTRY_PLUGIN(allocation_average, "allocation-average", .version = "1.0", ...) */
#define GANTRY_PLUGIN(id, name_, ...)                                                              \
	GANTRY_API const struct gantry_plugin *GANTRY_ENTRY(id)(void);                             \
	const struct gantry_plugin *GANTRY_ENTRY(id)(void)                                         \
	{                                                                                          \
		static const struct gantry_plugin self = {.magic = GANTRY_MAGIC,                   \
							  .size = sizeof(struct gantry_plugin),    \
							  .abi_major = GANTRY_ABI_MAJOR,           \
							  .abi_minor = GANTRY_ABI_MINOR,           \
							  .layout = GANTRY_LAYOUT,                 \
							  .name = name_,                           \
							  __VA_ARGS__};                            \
		return &self;                                                                      \
	}

/* The instance's own memory (inst_size bytes, zeroed before setup). Any thread. */
GANTRY_API void *gantry_data(const struct gantry_inst *inst);

/* The instance's memory for one event loop (loop_size bytes, cache-line aligned). */
GANTRY_API void *gantry_loop_data(const struct gantry_inst *inst, const struct gantry_loop *loop);

/* "frontend-remoting:main", and the role it stands in: "broker", "namesrv", "broker-2". */
GANTRY_API const char *gantry_inst_name(const struct gantry_inst *inst);
GANTRY_API const char *gantry_inst_role(const struct gantry_inst *inst);

/* Finds a service among the instances of the same role: the vtable, and the instance to pass to
 * its calls. name NULL: the only one of that kind. NULL if there is none, or if there are several
 * (gantry_find_at). From setup on the answer never changes: resolve once and keep the pointer. Any
 * thread. */
GANTRY_API const void *gantry_find(const struct gantry_inst *inst, uint32_t kind, const char *name,
				   struct gantry_inst **ret_peer);

/* The i-th service of a kind in the same role, in load order; NULL past the last. */
GANTRY_API const struct gantry_service *gantry_find_at(const struct gantry_inst *inst,
						       uint32_t kind, unsigned i,
						       struct gantry_inst **ret_peer);

GANTRY_END
#endif
