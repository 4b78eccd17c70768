/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the plugin, for its test. */
#ifndef AVERAGE_H
#define AVERAGE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which run of queues the index-th of members gets; members > 0. */
void average_share(uint32_t queues, uint32_t members, uint32_t index, uint32_t *ret_first,
		   uint32_t *ret_count);

#ifdef __cplusplus
}
#endif
#endif
