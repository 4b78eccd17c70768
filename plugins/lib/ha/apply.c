/* SPDX-License-Identifier: Apache-2.0 */
/* What a slave received goes into its log, at the same offsets. */
#include "client_impl.h"

#include <errno.h>

/* ---- a log that is empty begins where the master does */

static int run_begin(struct gantry_work *work)
{
	struct ha_link *link = work->user;

	return door_feed(link->client->door, (uint64_t)link->head.offset, "", 0);
}

static void begun(struct gantry_op *op)
{
	struct ha_link *link = op->user;
	struct ha_client *client = link->client;

	link->beginning = false;
	if (!link->closed && op->status < 0) {
		gantry_log(client->inst, ERROR, "the log cannot begin at %lld: %s",
			   (long long)link->head.offset, strerror(-op->status));
		ha_link_end(client, true);
	} else if (!link->closed) {
		gantry_log(client->inst, NOTICE, "the log begins at %lld, as the master has it",
			   (long long)link->head.offset);
	}
	if (link->closed)
		ha_link_let_go(link);
	else
		ha_link_tick(link);
}

static void begin_at_head(struct ha_link *link)
{
	struct ha_client *client = link->client;

	link->beginning = true;
	link->begin = (struct gantry_work){.run = run_begin, .user = link};
	link->begin_op = (struct gantry_op){.done = begun, .loop = client->loop, .user = link};
	gantry_work(client->inst, &link->begin, &link->begin_op);
}

/* ---- headers */

static bool refuse(struct ha_link *link, const char *why)
{
	struct ha_client *client = link->client;

	gantry_log_limited(client->inst, &client->differ_limit, ERROR,
			   "the master %s sends %d bytes of offset %lld, and the log ends at %llu "
			   "here: %s",
			   client->current, link->head.size, (long long)link->head.offset,
			   (unsigned long long)door_mark(client->door, GANTRY_APPENDED), why);
	link->heard = false; /* no reason to be back soon */
	ha_link_end(client, true);
	return false;
}

/* As DefaultHAClient: what does not fit at the end of the log ends the connection. */
static bool check_head(struct ha_link *link)
{
	struct door *door = link->client->door;
	struct gantry_bounds bounds;

	door_bounds(door, &bounds);
	if (link->head.offset < 0 || link->head.size < 0 || link->head.size > HA_BODY_MAX)
		return refuse(link, "that is no header of a master's");
	if ((uint64_t)link->head.offset == bounds.end)
		return true;
	/* An empty log that began somewhere was told to the master: it does not begin before. */
	if (bounds.first != bounds.end || (uint64_t)link->head.offset < bounds.end)
		return refuse(link, "the two logs differ; empty this one's store to begin anew");
	if ((uint64_t)link->head.offset % bounds.segment_bytes)
		return refuse(link, "no file begins there; mappedFileSizeCommitLog must be the "
				    "master's");
	begin_at_head(link);
	return true;
}

/* ---- bodies */

static void say_full(struct ha_client *client, bool full)
{
	if (full == client->full)
		return;
	client->full = full;
	if (full)
		gantry_log(client->inst, ERROR,
			   "the disk is full: the master's log is not followed");
	else
		gantry_log(client->inst, NOTICE,
			   "the disk has room again: the master's log is followed");
}

/* Returns how much of it the log took. */
static size_t feed(struct ha_link *link, const uint8_t *bytes, size_t size, int *ret_status)
{
	struct door *door = link->client->door;
	uint64_t at = (uint64_t)link->head.offset + (uint32_t)link->head.size - link->left;

	*ret_status = door_feed(door, at, bytes, size);
	if (*ret_status == 0)
		say_full(link->client, false);
	return *ret_status == 0 ? size : (size_t)(door_mark(door, GANTRY_APPENDED) - at);
}

/* Waits if that helps. false: the link has ended. */
static bool feed_failed(struct ha_link *link, int status)
{
	struct ha_client *client = link->client;
	uint64_t wait_ms = status == -ENOSPC ? FULL_MS : BUSY_MS;

	if (status == -EAGAIN || status == -ENOSPC) {
		if (status == -ENOSPC)
			say_full(client, true);
		link->blocked_ms = gantry_clock_ms() + wait_ms;
		ha_client_wake(client, wait_ms);
		return true;
	}
	gantry_log_limited(client->inst, &client->feed_limit, ERROR,
			   "the log takes nothing from the master: %s", strerror(-status));
	link->heard = false;
	ha_link_end(client, true);
	return false;
}

static bool take_head(struct ha_link *link)
{
	link->head = ha_get_head(link->in + link->in_at);
	link->in_at += HA_HEAD_BYTES;
	if (!check_head(link))
		return false;
	link->left = (uint32_t)link->head.size;
	link->heard = true;
	atomic_store(&link->client->master_end, (uint64_t)link->head.offset + link->left);
	return true;
}

bool ha_apply(struct ha_link *link)
{
	int status = 0;

	link->blocked_ms = 0;
	while (!link->beginning && status == 0) {
		size_t have = link->in_used - link->in_at, size;

		if (link->left == 0) {
			if (have < HA_HEAD_BYTES)
				break;
			if (!take_head(link))
				return false;
			continue;
		}
		size = have < link->left ? have : link->left;
		if (size == 0)
			break;
		size = feed(link, link->in + link->in_at, size, &status);
		link->in_at += size;
		link->left -= (uint32_t)size;
	}
	memmove(link->in, link->in + link->in_at, link->in_used - link->in_at);
	link->in_used -= link->in_at;
	link->in_at = 0;
	return status == 0 || feed_failed(link, status);
}
