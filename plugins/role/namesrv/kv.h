/* SPDX-License-Identifier: Apache-2.0 */
/* The KV configuration: namespaces of keys and values, kept in kvConfig.json. Any thread. */
#ifndef KV_H
#define KV_H

#include "namesrv.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NS_ORDER_TOPIC_CONFIG "ORDER_TOPIC_CONFIG" /* the namespace of ordered topics */

int ns_kv_new(struct namesrv *namesrv, struct ns_kv **ret);
void ns_kv_free(struct ns_kv *kv);                       /* NULL is fine */
int ns_kv_load(struct ns_kv *kv);                        /* control thread; blocks */
int ns_kv_close(struct ns_kv *kv, struct gantry_op *op); /* as state_close() */

/* -ENOSPC: too many or too large; -EINVAL: a name too long. */
int ns_kv_put(struct ns_kv *kv, struct gantry_str space, struct gantry_str key,
	      struct gantry_str value);
void ns_kv_delete(struct ns_kv *kv, struct gantry_str space, struct gantry_str key);
/* From malloc, with a NUL; NULL: there is none (or no memory). */
char *ns_kv_get(struct ns_kv *kv, struct gantry_str space, struct gantry_str key);
/* {"table":{...}} of a namespace, from malloc. -ENOENT: it has none. */
int ns_kv_list(struct ns_kv *kv, struct gantry_str space, char **ret, size_t *ret_size);

#ifdef __cplusplus
}
#endif
#endif
