/* SPDX-License-Identifier: Apache-2.0 */
/* Which part of a table is asked for (TopicConfigManager.subTopicConfigTable of 5.5.0). */
#include "requests/page.h"

#include <errno.h>

#include "requests/call.h"

static struct data_version read_version(struct gantry_str text)
{
	struct data_version version = {0};
	struct json_doc doc;

	if (text.size && !json_parse(text.at, text.size, JSON_LENIENT, NULL, &doc, NULL)) {
		version = data_version_read(json_root(&doc));
		json_free(&doc);
	}
	return version;
}

int page_read(const struct broker *broker, struct gantry_call *call, const char *from_field,
	      const char *max_field, struct page *ret)
{
	int32_t from = call_int32(call, from_field, 0),
		max = call_int32(call, max_field, INT32_MAX);

	*ret = (struct page){.whole = true};
	if (!broker->conf->enableSplitMetadata || !call_text(call, from_field).at)
		return 0;
	if (from < 0 || max < 1) {
		call_fail(call, GANTRY_SYSTEM_ERROR,
			  "IndexOutOfBoundsException: %s is %d, %s is %d", from_field, from,
			  max_field, max);
		return -EINVAL;
	}
	if (max > broker->conf->splitMetadataSize)
		max = (int32_t)broker->conf->splitMetadataSize;
	*ret = (struct page){
		.from = (uint64_t)from,
		.max = (uint64_t)max,
		.version = read_version(call_text(call, "dataVersion")),
	};
	return 0;
}

void page_cut(const struct page *page, const struct data_version *version, size_t count,
	      size_t *ret_begin, size_t *ret_end)
{
	*ret_begin = 0;
	*ret_end = count;
	if (!page || page->whole)
		return;
	if (data_version_equal(&page->version, version))
		*ret_begin = page->from < count ? (size_t)page->from : count;
	if (count - *ret_begin > page->max)
		*ret_end = *ret_begin + (size_t)page->max;
	/* Java's slave stops one short of the end */
	if (count - *ret_end == 1)
		*ret_end = count;
}
