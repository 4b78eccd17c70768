/* SPDX-License-Identifier: Apache-2.0 */
/* gantry plugin: the table of its commands. */
#include "plugin.h"

static int run(const struct cli_command *self, int argc, char **argv)
{
	static const struct cli_command *const commands[] = {
		&cli_plugin_list,
		&cli_plugin_inspect,
		&cli_plugin_enable,
		&cli_plugin_disable,
		NULL,
	};
	return cli_dispatch("gantry plugin", self->summary, commands, argc, argv);
}

const struct cli_command cli_plugin = {
	.name = "plugin",
	.summary = "Lists, inspects, enables and disables plugins",
	.run = run,
};
