/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that are part of the contract tests. */
#ifndef CONTRACT_PLUGINS_H
#define CONTRACT_PLUGINS_H

#include "../../kernel/loader.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct gk_static_plugin contract_plugins[];

#ifdef __cplusplus
}
#endif
#endif
