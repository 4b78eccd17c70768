/* SPDX-License-Identifier: Apache-2.0 */
/* Light queues of messages that the broker itself stores; store/multi.c has the format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "message/properties.h"
#include "send/put.h"

static int count_names(struct gantry_str names, uint32_t *ret)
{
	struct gantry_str name;

	*ret = 0;
	for (; message_list_next(&names, &name); ++*ret)
		if (!store_multi_is_name(name))
			return -EINVAL;
	return 0;
}

int put_multi(struct broker *broker, struct gantry_str topic, struct gantry_str names,
	      struct store_multi **ret)
{
	struct store_multi *multi;
	struct gantry_str name;
	uint32_t count = 0, i = 0;
	int status;

	if (!names.size || !broker->conf->enableLmq || !store_multi_allowed(topic))
		return 0;
	status = count_names(names, &count);
	if (status || !count)
		return status;
	multi = malloc(sizeof(*multi) + count * sizeof(struct queue *) + store_multi_room(count));
	if (!multi)
		return -ENOMEM;
	*multi = (struct store_multi){.queues = (struct queue **)(multi + 1), .count = count};
	multi->text = (char *)(multi->queues + count);
	memset(multi->text, ' ', store_multi_room(count)); /* until the offsets are known */
	for (; message_list_next(&names, &name); i++) {
		multi->queues[i] = store_queue_light(broker->store, name);
		if (multi->queues[i])
			continue;
		free(multi);
		return -ENOSPC;
	}
	*ret = multi;
	return 1;
}

int put_add_multi(struct broker *broker, struct gantry_str names, struct store_put *message)
{
	struct message_draft *draft = &message->draft;
	struct store_multi *multi;
	int status;

	if (draft->part_count == MESSAGE_PARTS)
		return -EMSGSIZE;
	status = put_multi(broker, draft->topic, names, &multi);
	if (status <= 0)
		return status;
	message->multi = multi;
	draft->properties[draft->part_count++] =
		(struct gantry_str){multi->text, store_multi_room(multi->count)};
	return 1;
}
