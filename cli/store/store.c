/* SPDX-License-Identifier: Apache-2.0 */
/* gantry store: the table of its commands. */
#include "store.h"

static int run(const struct cli_command *self, int argc, char **argv)
{
	static const struct cli_command *const commands[] = {
		&cli_store_verify, &cli_store_dump, &cli_store_stats, &cli_store_repair, NULL,
	};
	return cli_dispatch("gantry store", self->summary, commands, argc, argv);
}

const struct cli_command cli_store = {
	.name = "store",
	.summary = "Verifies, dumps and counts a store directory",
	.run = run,
};
