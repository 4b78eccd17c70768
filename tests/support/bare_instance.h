/* SPDX-License-Identifier: Apache-2.0 */
/* An instance that does nothing itself: what a unit test of plugin code runs its subject in. */
#ifndef TESTS_SUPPORT_BARE_INSTANCE_H
#define TESTS_SUPPORT_BARE_INSTANCE_H

#include "kernel_fixture.h"

namespace bare
{

/* Of the kernel that runs now. */
inline struct gantry_inst *instance;

inline int Setup(struct gantry_inst *inst)
{
	instance = inst;
	return 0;
}

inline struct gantry_lifecycle Life()
{
	struct gantry_lifecycle life = {};

	life.size = sizeof(life);
	life.setup = Setup;
	return life;
}

/* Named "role-test"; life lasts as long as it. */
inline struct gantry_plugin Plugin(const struct gantry_lifecycle *life)
{
	struct gantry_plugin self = {};

	self.magic = GANTRY_MAGIC;
	self.size = sizeof(self);
	self.abi_major = GANTRY_ABI_MAJOR;
	self.abi_minor = GANTRY_ABI_MINOR;
	self.layout = GANTRY_LAYOUT;
	self.name = "role-test";
	self.version = self.license = self.summary = "test";
	self.life = life;
	return self;
}

inline const struct gantry_plugin *Entry()
{
	static const struct gantry_lifecycle life = Life();
	static const struct gantry_plugin self = Plugin(&life);

	return &self;
}

} // namespace bare

#endif
