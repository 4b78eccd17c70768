/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that are part of the broker's tests. */
#ifndef BROKER_PLUGINS_H
#define BROKER_PLUGINS_H

#include "../../kernel/loader.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct gk_static_plugin broker_plugins[];

#ifdef __cplusplus
}
#endif
#endif
