/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over the records of the log from any place where one begins. Blocks: not on a loop. */
#ifndef STORE_CURSOR_H
#define STORE_CURSOR_H

#include "store/internal.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cursor {
	struct store *store;
	uint64_t at;    /* behind the last record */
	bool check_crc; /* of bodies */
	bool check_sum; /* that each record ends with a checksum, the right one */
	/* the record that cursor_next() found, good until the next call */
	struct message_record record;
	uint64_t record_at;
	uint32_t too_long; /* bytes of the one that was not, since storage shows no more than
			    * GANTRY_SLICE_MAX */
	/* private */
	struct gantry_slice slice;
	size_t used;
	uint64_t asked;
};

/* 1: the next record is there; 0: what follows is none; or a negative errno. */
int cursor_next(struct cursor *cursor);
void cursor_close(struct cursor *cursor);

#ifdef __cplusplus
}
#endif
#endif
