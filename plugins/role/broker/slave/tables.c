/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that a slave has from its master, and what is done with them on a worker. Codes and
 * their order as in RocketMQ's SlaveSynchronize.syncAll. */
#include <errno.h>
#include <stdio.h>

#include "delay/delay.h"
#include "groups/groups.h"
#include "metadata/data_version.h"
#include "balance/modes.h"
#include "paths.h"
#include "slave/private.h"
#include "topics/topics.h"

static int adopt_topics(struct slave *slave, const struct json_doc *pages, uint32_t count,
			char *why, size_t why_size)
{
	return topics_adopt(slave->broker->topics, pages, count, why, why_size);
}

static int adopt_groups(struct slave *slave, const struct json_doc *pages, uint32_t count,
			char *why, size_t why_size)
{
	return groups_adopt(slave->broker->groups, pages, count, why, why_size);
}

static int adopt_offsets(struct slave *slave, const struct json_doc *pages, uint32_t count,
			 char *why, size_t why_size)
{
	struct offsets_choice choice = {progress_choose, slave->progress};

	(void)count;
	return offsets_adopt(slave->broker->offsets, pages, &choice, why, why_size);
}

static int adopt_delays(struct slave *slave, const struct json_doc *pages, uint32_t count,
			char *why, size_t why_size)
{
	(void)count;
	return delay_adopt(slave->broker, pages, why, why_size);
}

static int adopt_modes(struct slave *slave, const struct json_doc *pages, uint32_t count, char *why,
		       size_t why_size)
{
	(void)count;
	return modes_adopt(slave->broker->modes, pages, why, why_size);
}

const struct slave_table slave_tables[] = {
	{"topics", 21, "topicSeq", "maxTopicNum", "totalTopicNum", "topicConfigTable",
	 adopt_topics},
	{"consumer offsets", 43, NULL, NULL, NULL, NULL, adopt_offsets},
	{"delay offsets", 45, NULL, NULL, NULL, NULL, adopt_delays},
	{"subscription groups", 201, "groupSeq", "maxGroupNum", "totalGroupNum",
	 "subscriptionGroupTable", adopt_groups},
	{"request modes", 402, NULL, NULL, NULL, NULL, adopt_modes},
};

_Static_assert(sizeof(slave_tables) / sizeof(slave_tables[0]) == SLAVE_TABLES, "");

/* Pages of one table must be of one version. */
static int check_version(struct slave *slave, const struct slave_page *page)
{
	struct data_version first, now;

	if (slave->page_count < 2)
		return 0;
	first = data_version_read(json_get(json_root(&slave->pages[0].doc), "dataVersion"));
	now = data_version_read(json_get(json_root(&page->doc), "dataVersion"));
	if (data_version_equal(&first, &now))
		return 0;
	snprintf(slave->why, sizeof(slave->why), "it changed while it was read");
	return -EAGAIN;
}

static bool wants_more(struct slave *slave, const struct slave_table *table,
		       const struct slave_page *page)
{
	uint32_t count;

	if (!table->entries || slave->total < 0)
		return false;
	count = json_count(json_get(json_root(&page->doc), table->entries));
	slave->entries += count;
	return count && slave->entries < (uint64_t)slave->total;
}

int slave_take_page(struct slave *slave)
{
	const struct slave_table *table = &slave_tables[slave->at];
	struct slave_page *page = &slave->pages[slave->page_count - 1];
	struct gantry_str body = page->request.ret_body;
	int err = broker_parse(body.at ? body.at : "", body.size, &page->doc, slave->why,
			       sizeof(slave->why));

	if (err)
		return err;
	slave->docs[slave->page_count - 1] = page->doc;
	err = check_version(slave, page);
	if (err)
		return err;
	slave->more = wants_more(slave, table, page);
	if (slave->more)
		return 0;
	if (!broker_is_slave(slave->broker))
		return -ECANCELED; /* it leads by now */
	return table->adopt(slave, slave->docs, slave->page_count, slave->why, sizeof(slave->why));
}
