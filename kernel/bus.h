/* SPDX-License-Identifier: Apache-2.0 */
/* The event bus. A topic's subscribers stand in an immutable list that is replaced as a whole, so
 * no lock is held while one is called. */
#ifndef GK_BUS_H
#define GK_BUS_H

#include <gantry/bus.h>
#include <glib.h>
#include <pthread.h>

GANTRY_BEGIN

struct gk_bus {
	pthread_mutex_t lock;
	GHashTable *topics; /* lock; name -> struct gk_topic * */
};

void gk_bus_open(struct gk_bus *bus);
void gk_bus_close(struct gk_bus *bus); /* with the topics that are left */

/* owner NULL: the kernel's own. As gantry_topic_define and gantry_publish. */
int gk_bus_define(struct gk_bus *bus, struct gantry_inst *owner, const struct gantry_topic *topic);
int gk_bus_publish(struct gk_bus *bus, const struct gantry_topic *topic, const void *payload,
		   const void *live);

/* Ends what inst subscribed to; the ends may still come, see gantry_inst.subscribed. Returns how
 * many there were. */
unsigned gk_bus_unsubscribe_all(struct gantry_inst *inst);
/* Takes back the topics that inst defined. */
void gk_bus_undefine_all(struct gk_bus *bus, const struct gantry_inst *inst);

GANTRY_END
#endif
