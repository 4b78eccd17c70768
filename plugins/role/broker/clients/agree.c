/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the members of a consumer group subscribe the same, and consume in the same manner: if
 * they do not, messages are lost to some of them, which is the most common mistake of RocketMQ's
 * users. Each member's word is a digest; a group counts how many say what it says. */
#include "clients/private.h"
#include "call/fields.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
	return (a ^ b) * 0x9e3779b97f4a7c15u + (a >> 29);
}

/* Without order, and without versions, which are each client's own. Never 0. */
static uint64_t digest_of(const struct gantry_consumer_data *data)
{
	uint64_t digest = mix(data->consume_type + 1, data->message_model + 1);

	for (uint32_t i = 0; i < data->subscription_count; i++) {
		const struct gantry_subscription_data *one = &data->subscriptions[i];
		struct gantry_str type = one->expression_type;

		if (!type.size)
			type = str_of("TAG");
		digest += mix(table_hash(one->topic),
			      mix(table_hash(type), table_hash(one->expression)));
	}
	return digest ? digest : 1;
}

static void judge_locked(struct clients *clients, struct client_group *group)
{
	bool disagrees = group->said != group->said_same;

	if (disagrees == group->disagrees)
		return;
	group->disagrees = disagrees;
	__atomic_add_fetch(&clients->disagreeing, disagrees ? 1 : -1, __ATOMIC_RELAXED);
	if (disagrees)
		__atomic_add_fetch(&clients->disagreements, 1, __ATOMIC_RELAXED);
}

/* Nobody says any more what the group said: from now on it says what somebody says. */
static void choose_locked(struct client_group *group)
{
	for (struct member *member = group->members; member; member = member->group_next) {
		if (!member->said)
			continue;
		if (!group->said_same)
			group->digest = member->said;
		group->said_same += member->said == group->digest;
	}
}

static void say_locked(struct clients *clients, struct member *member, uint64_t digest)
{
	struct client_group *group = member->group;

	if (member->said) {
		group->said--;
		group->said_same -= member->said == group->digest;
	}
	member->said = digest;
	if (digest) {
		group->said++;
		group->said_same += digest == group->digest;
	}
	if (group->said && !group->said_same)
		choose_locked(group);
	judge_locked(clients, group);
}

bool clients_agree_locked(struct clients *clients, struct member *member,
			  const struct gantry_consumer_data *data)
{
	uint64_t digest = digest_of(data);
	bool before = member->group->disagrees;

	if (member->said != digest)
		say_locked(clients, member, digest);
	return !before && member->group->disagrees;
}

void clients_agree_leave_locked(struct clients *clients, struct member *member)
{
	if (member->said)
		say_locked(clients, member, 0);
}

static int64_t read_disagreeing(void *user)
{
	struct clients *clients = user;

	return __atomic_load_n(&clients->disagreeing, __ATOMIC_RELAXED);
}

static int64_t read_disagreements(void *user)
{
	struct clients *clients = user;

	return __atomic_load_n(&clients->disagreements, __ATOMIC_RELAXED);
}

int clients_define(struct clients *clients)
{
	struct gantry_inst *inst = clients->broker->inst;
	int err = gantry_gauge_define(inst, "groups_disagreeing",
				      "consumer groups whose members subscribe differently",
				      read_disagreeing, clients);

	if (!err)
		err = gantry_gauge_define(inst, "group_disagreements",
					  "times that a consumer group began to disagree",
					  read_disagreements, clients);
	return err;
}
