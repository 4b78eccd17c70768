/* SPDX-License-Identifier: Apache-2.0 */
/* Whether messages that stood in the log before this start are still what they were: a disk may
 * have changed them. What this process wrote is not looked at again. */
#include <string.h>

#include "pull/private.h"

/* Whether the record says which offset it has in this queue. One of several messages makes others
 * begin later than their number. */
static bool has_offset_here(const struct pull_context *context, const struct message_record *record)
{
	const struct gantry_str *topic = &context->topic->name;

	return !queue_is_batch(context->queue) && record->queue == context->pull->queue &&
	       record->topic.size == topic->size &&
	       memcmp(record->topic.at, topic->at, topic->size) == 0;
}

static bool are_whole(const struct pull_context *context, const struct pull_run *run,
		      const uint8_t *bytes)
{
	uint64_t used = 0;

	for (uint32_t i = 0; i < run->count; i++) {
		struct message_record record;

		if (message_record_read(bytes + used, run->bytes - used, true, &record) !=
		    MESSAGE_WHOLE)
			return false;
		if (has_offset_here(context, &record) && record.queue_offset != run->first + i)
			return false;
		used += record.size;
	}
	return used == run->bytes;
}

void pull_tell_damage(const struct pull_context *context, const struct pull_run *run)
{
	uint64_t segment = store_segment_bytes(context->puller->broker->store);

	gantry_log_limited(context->puller->broker->inst, &context->loop->damage, ERROR,
			   "offset %lld of queue %d of topic %.*s cannot be served: what stands at "
			   "log offset %llu, in file %020llu at %llu, is not its message",
			   (long long)run->first, context->pull->queue,
			   (int)context->topic->name.size, context->topic->name.at,
			   (unsigned long long)run->at,
			   (unsigned long long)(run->at - run->at % segment),
			   (unsigned long long)(run->at % segment));
}

bool pull_is_whole(const struct pull_context *context, const struct pull_run *run,
		   const uint8_t *bytes)
{
	const struct broker *broker = context->puller->broker;

	return run->at >= store_old_end(broker->store) || !broker->conf->checkCRCOnRecover ||
	       are_whole(context, run, bytes);
}
