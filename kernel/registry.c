/* SPDX-License-Identifier: Apache-2.0 */
/* The registry: services by kind and name among the instances of one role. A role has a few dozen
 * at most, and plugins look them up once, so a walk over the instances is all there is. */
#include "registry.h"
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- looking up */

static int serves(const struct gantry_service *service, uint32_t kind, const char *name)
{
	return service->kind == kind && (!name || strcmp(service->name, name) == 0);
}

/* Calls see for each service of that kind and name in inst's role, in the order configured. */
static void each_service(const struct gantry_inst *inst, uint32_t kind, const char *name,
			 void (*see)(struct gantry_inst *peer, const struct gantry_service *service,
				     void *user),
			 void *user)
{
	const GPtrArray *insts = inst->kernel->insts;
	for (unsigned i = 0; i < insts->len; i++) {
		struct gantry_inst *peer = insts->pdata[i];
		const struct gantry_service *at = peer->plugin->offers;
		if (strcmp(peer->role, inst->role) != 0)
			continue;
		for (; at && at->kind; at++) {
			if (serves(at, kind, name))
				see(peer, at, user);
		}
	}
}

/* a walk that stops counting at the wanted one */
struct pick {
	unsigned wanted, count;
	struct gantry_inst *peer;
	const struct gantry_service *service;
};

static void pick(struct gantry_inst *peer, const struct gantry_service *service, void *user)
{
	struct pick *pick = user;
	if (pick->count++ == pick->wanted) {
		pick->peer = peer;
		pick->service = service;
	}
}

const void *gantry_find(const struct gantry_inst *inst, uint32_t kind, const char *name,
			struct gantry_inst **ret_peer)
{
	struct pick found = {0};
	each_service(inst, kind, name, pick, &found);
	if (found.count != 1) /* none, or no telling which */
		return NULL;
	if (ret_peer)
		*ret_peer = found.peer;
	return found.service->ops;
}

const struct gantry_service *gantry_find_at(const struct gantry_inst *inst, uint32_t kind,
					    unsigned i, struct gantry_inst **ret_peer)
{
	struct pick found = {.wanted = i};
	each_service(inst, kind, NULL, pick, &found);
	if (found.service && ret_peer)
		*ret_peer = found.peer;
	return found.service;
}

/* ---- resolving */

struct resolve {
	struct gk_kernel *kernel;
	GPtrArray *path; /* of instances, each needing the next */
	int faults;
};

__attribute__((format(printf, 2, 3))) static void fault(struct resolve *resolve, const char *format,
							...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	resolve->faults++;
	gantry_log(NULL, ERROR, "%s", text);
}

/* The need in words: storage service "mmap". */
static const char *need_text(const struct gantry_need *need, char *text, size_t size)
{
	if (need->name)
		snprintf(text, size, "the %s service \"%s\"", gk_kind_name(need->kind), need->name);
	else
		snprintf(text, size, "a %s service", gk_kind_name(need->kind));
	return text;
}

/* a need that is being looked at */
struct asked {
	struct resolve *resolve;
	const struct gantry_inst *inst;
	const struct gantry_need *need;
};

/* What stands against one service that a need found. */
static void check_offer(struct gantry_inst *peer, const struct gantry_service *service, void *user)
{
	const struct asked *asked = user;
	const struct gantry_need *need = asked->need;
	uint32_t size = *(const uint32_t *)service->ops;
	char text[128];
	need_text(need, text, sizeof(text));
	if (size < need->ops_size)
		fault(asked->resolve,
		      "plugin %s: needs %s with a vtable of %u bytes, the one of %s (%s) has %u",
		      asked->inst->module->file, text, need->ops_size, peer->name,
		      peer->module->file, size);
	if ((service->caps & need->caps) != need->caps)
		fault(asked->resolve,
		      "plugin %s: needs %s with caps 0x%x, the one of %s (%s) has 0x%x",
		      asked->inst->module->file, text, need->caps, peer->name, peer->module->file,
		      service->caps);
}

static void check_need(struct resolve *resolve, const struct gantry_inst *inst,
		       const struct gantry_need *need)
{
	struct asked asked = {resolve, inst, need};
	struct pick first = {0}, second = {.wanted = 1};
	int optional = (need->flags & GANTRY_NEED_OPTIONAL) != 0;
	char text[128];
	each_service(inst, need->kind, need->name, pick, &first);
	each_service(inst, need->kind, need->name, pick, &second);
	need_text(need, text, sizeof(text));
	if (first.count == 0 && !optional)
		fault(resolve, "plugin %s: needs %s, and nothing in role %s offers it",
		      inst->module->file, text, inst->role);
	else if (first.count > 1 && !optional)
		fault(resolve, "plugin %s: needs %s, and role %s has several: %s and %s",
		      inst->module->file, text, inst->role, first.peer->name, second.peer->name);
	else
		each_service(inst, need->kind, need->name, check_offer, &asked);
}

/* Several instances of one plugin may stand side by side, two plugins under one name may not. */
static void check_unique(struct resolve *resolve, struct gantry_inst *inst,
			 const struct gantry_service *service)
{
	struct pick other = {0};
	for (;; other.wanted++) {
		other.count = 0;
		other.peer = NULL;
		each_service(inst, service->kind, service->name, pick, &other);
		if (!other.peer || other.peer == inst)
			return; /* reported once, by the later one */
		if (other.peer->plugin != inst->plugin) {
			fault(resolve,
			      "plugins %s and %s: both offer the %s service \"%s\" in role %s",
			      other.peer->module->file, inst->module->file,
			      gk_kind_name(service->kind), service->name, inst->role);
			return;
		}
	}
}

static void check_instance(struct resolve *resolve, struct gantry_inst *inst)
{
	const struct gantry_service *offer = inst->plugin->offers;
	const struct gantry_need *need = inst->plugin->needs;
	for (; offer && offer->kind; offer++)
		check_unique(resolve, inst, offer);
	for (; need && need->kind; need++)
		check_need(resolve, inst, need);
}

/* ---- the order */

static void visit(struct resolve *resolve, struct gantry_inst *inst);

static void visit_peer(struct gantry_inst *peer, const struct gantry_service *service, void *user)
{
	(void)service;
	visit(user, peer);
}

/* The path from the first visit of inst back to it: a -> b -> a. */
static void report_cycle(struct resolve *resolve, const struct gantry_inst *inst)
{
	GString *text = g_string_new(NULL);
	unsigned i = 0;
	while (resolve->path->pdata[i] != inst)
		i++;
	for (; i < resolve->path->len; i++) {
		const struct gantry_inst *at = resolve->path->pdata[i];
		g_string_append_printf(text, "%s (%s) -> ", at->name, at->module->file);
	}
	fault(resolve, "plugin %s: cyclic needs in role %s: %s%s", inst->module->file, inst->role,
	      text->str, inst->name);
	g_string_free(text, TRUE);
}

enum { UNSEEN, ON_PATH, ORDERED }; /* gantry_inst.visit */

static void visit(struct resolve *resolve, struct gantry_inst *inst)
{
	const struct gantry_need *need = inst->plugin->needs;
	if (inst->visit == ON_PATH)
		report_cycle(resolve, inst);
	if (inst->visit != UNSEEN)
		return;
	inst->visit = ON_PATH;
	g_ptr_array_add(resolve->path, inst);
	for (; need && need->kind; need++)
		each_service(inst, need->kind, need->name, visit_peer, resolve);
	g_ptr_array_remove_index(resolve->path, resolve->path->len - 1);
	inst->visit = ORDERED;
	g_ptr_array_add(resolve->kernel->order, inst);
}

int gk_registry_resolve(struct gk_kernel *kernel)
{
	struct resolve resolve = {.kernel = kernel, .path = g_ptr_array_new()};
	for (unsigned i = 0; i < kernel->insts->len; i++)
		check_instance(&resolve, kernel->insts->pdata[i]);
	for (unsigned i = 0; i < kernel->insts->len; i++)
		visit(&resolve, kernel->insts->pdata[i]);
	g_ptr_array_free(resolve.path, TRUE);
	return resolve.faults ? -ENOEXEC : 0;
}
