/* SPDX-License-Identifier: Apache-2.0 */
/* gantry: the command line. This file is only the table of its commands. */
#include "cli.h"

#include <locale.h>

int main(int argc, char **argv)
{
	static const struct cli_command *const commands[] = {
		&cli_send, &cli_consume, &cli_bench, &cli_plugin, &cli_store, &cli_cluster, NULL,
	};
	setlocale(LC_CTYPE, ""); /* not LC_NUMERIC: numbers are for programs, too */
	return cli_dispatch("gantry", "Talks to RocketMQ and Gantry name servers and brokers.",
			    commands, argc, argv);
}
