/* SPDX-License-Identifier: Apache-2.0 */
/* A stored message on standard output: a line of text, or of JSON after --output json. */
#ifndef CLI_MESSAGE_PRINT_H
#define CLI_MESSAGE_PRINT_H

#include <message/record.h>

#include "cli.h"

GANTRY_BEGIN

struct message_print {
	const char *broker; /* that it was pulled from; NULL: it was read from a file, and its place
			       in the log is printed instead */
	bool body;          /* inflated if it is compressed with ZLIB */
};

void print_message(const struct message_print *how, const struct message_record *record);

GANTRY_END
#endif
