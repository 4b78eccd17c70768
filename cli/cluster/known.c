/* SPDX-License-Identifier: Apache-2.0 */
/* What name servers know of the cluster (GET_BROKER_CLUSTER_INFO), and masters of their slaves
 * (GET_BROKER_HA_STATUS). */
#include <stdlib.h>
#include <string.h>

#include "../ask.h"
#include "cluster.h"

enum { CODE_CLUSTER = 106, CODE_HA_STATUS = 907, CONNECT_MS = 1000 };

bool known_ask(const struct cluster_node *namesrv, struct json_doc *ret)
{
	g_autofree char *address = g_strdup_printf("127.0.0.1:%d", namesrv->port);
	struct gantry_str none = {NULL, 0};
	struct link_message answer;
	struct link *link;
	bool done = false;
	if (link_open(address, CONNECT_MS, &link))
		return false;
	if (!ask(link, CODE_CLUSTER, NULL, none, "for its cluster", &answer) && answer.body.at) {
		/* the document borrows from its text, which ends with the link */
		char *text = malloc(answer.body.size);
		if (text)
			memcpy(text, answer.body.at, answer.body.size);
		done = text && !json_parse(text, answer.body.size, JSON_LENIENT, NULL, ret, NULL);
		if (!done)
			free(text);
	}
	link_close(link);
	return done;
}

bool known_has(const struct json_doc *doc, const struct cluster_node *broker)
{
	g_autofree char *address = g_strdup_printf("127.0.0.1:%d", broker->port);
	struct json_value table = json_get(json_root(doc), "brokerAddrTable");
	struct json_iter it = json_iter(json_get(json_get(table, broker->broker), "brokerAddrs"));
	while (json_next(&it))
		if (json_int64_or(it.key, -1) == broker->id && json_equals(it.value, address))
			return true;
	return false;
}

int known_slaves(const struct cluster_node *master)
{
	g_autofree char *address = g_strdup_printf("127.0.0.1:%d", master->port);
	struct gantry_str none = {NULL, 0};
	struct link_message answer;
	struct json_doc doc;
	struct link *link;
	int64_t count = -1;
	if (link_open(address, CONNECT_MS, &link))
		return -1;
	if (!ask(link, CODE_HA_STATUS, NULL, none, "for its slaves", &answer) && answer.body.at &&
	    !json_parse(answer.body.at, answer.body.size, JSON_LENIENT, NULL, &doc, NULL)) {
		count = json_int64_or(json_get(json_root(&doc), "inSyncSlaveNums"), -1);
		json_free(&doc);
	}
	link_close(link);
	return count > CLUSTER_NODES_MAX ? CLUSTER_NODES_MAX : (int)count;
}
