/* SPDX-License-Identifier: Apache-2.0 */
/* The slave: whom it follows, and when it connects. */
#include "client_impl.h"
#include "tick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int ha_client_new(struct gantry_inst *inst, struct door *door, const struct ha_client_conf *conf,
		  struct ha_client **ret)
{
	struct ha_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	client->inst = inst;
	client->door = door;
	client->conf = conf;
	client->loop = gantry_loop_at(inst, 0);
	client->pause_ms = RETRY_MIN_MS;
	pthread_mutex_init(&client->lock, NULL);
	pthread_cond_init(&client->quiet, NULL);
	*ret = client;
	return 0;
}

void ha_client_free(struct ha_client *client)
{
	if (!client)
		return;
	pthread_cond_destroy(&client->quiet);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

void ha_client_hold(struct ha_client *client)
{
	pthread_mutex_lock(&client->lock);
	++client->holders;
	pthread_mutex_unlock(&client->lock);
}

void ha_client_release(struct ha_client *client)
{
	pthread_mutex_lock(&client->lock);
	if (--client->holders == 0)
		pthread_cond_broadcast(&client->quiet);
	pthread_mutex_unlock(&client->lock);
}

/* ---- connecting */

static void forget_found(struct ha_client *client)
{
	uv_freeaddrinfo(client->found);
	client->found = client->next = NULL;
}

void ha_client_retry(struct ha_client *client, bool soon)
{
	if (client->next) {
		client->retry_ms = 0;
		ha_client_wake(client, 0);
		return;
	}
	if (soon)
		client->pause_ms = RETRY_MIN_MS;
	client->retry_ms = gantry_clock_ms() + client->pause_ms;
	client->pause_ms =
		client->pause_ms * 2 < RETRY_MAX_MS ? client->pause_ms * 2 : RETRY_MAX_MS;
}

static void attempt_failed(struct ha_client *client, int status)
{
	gantry_log_limited(client->inst, &client->connect_limit, WARNING,
			   "the master's log cannot be had at %s: %s", client->current,
			   uv_strerror(status));
	ha_client_retry(client, false);
}

/* Each address of a name has its turn before the name is looked up again. */
static void connect_to_next(struct ha_client *client)
{
	const struct addrinfo *address = client->next;
	int rc;

	client->next = address->ai_next;
	client->attempt_ms = gantry_clock_ms();
	rc = ha_link_connect(client, address->ai_addr);
	if (rc < 0)
		attempt_failed(client, rc);
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct ha_client *client = request->data;

	/* A lookup that was given up is nobody's any more. */
	if (client->lookup == request) {
		client->lookup = NULL;
		client->found = client->next = found;
		if (status == 0 && found)
			connect_to_next(client);
		else
			attempt_failed(client, status < 0 ? status : UV_EAI_NONAME);
	} else {
		uv_freeaddrinfo(found);
	}
	free(request);
	ha_client_release(client);
}

static int look_up(struct ha_client *client, const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	uv_getaddrinfo_t *request = calloc(1, sizeof(*request));
	int rc;

	if (!request)
		return -ENOMEM;
	request->data = client;
	rc = uv_getaddrinfo(gantry_loop_uv(client->loop), request, resolved, host, port, &hints);
	if (rc < 0) {
		free(request);
		return rc;
	}
	client->lookup = request;
	ha_client_hold(client);
	return 0;
}

static void attempt(struct ha_client *client)
{
	char host[HA_HOST_MAX], port[HA_PORT_MAX];
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
	int rc;

	if (client->next) {
		connect_to_next(client);
		return;
	}
	forget_found(client);
	rc = ha_split_address((struct gantry_str){client->current, strlen(client->current)}, host,
			      port);
	client->attempt_ms = gantry_clock_ms();
	if (rc == 0) {
		int number = (int)strtol(port, NULL, 10);

		if (uv_ip4_addr(host, number, &address.v4) == 0 ||
		    uv_ip6_addr(host, number, &address.v6) == 0)
			rc = ha_link_connect(client, &address.any);
		else
			rc = look_up(client, host, port);
	}
	if (rc < 0)
		attempt_failed(client, rc);
}

static void give_up_lookup(struct ha_client *client)
{
	if (client->lookup)
		uv_cancel((uv_req_t *)client->lookup);
	client->lookup = NULL;
	forget_found(client);
}

/* ---- looking after it */

static void count_second(struct ha_client *client, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - client->second_ms;

	if (passed_ms < 1000)
		return;
	atomic_store(&client->bytes_per_s, client->second_bytes * 1000 / passed_ms);
	client->second_ms = now_ms;
	client->second_bytes = 0;
}

static void tick(uv_timer_t *timer)
{
	struct ha_client *client = timer->data;
	uint64_t now_ms = gantry_clock_ms();

	count_second(client, now_ms);
	if (client->link)
		ha_link_tick(client->link);
	if (client->lookup && now_ms - client->attempt_ms > CONNECT_MS) {
		give_up_lookup(client);
		attempt_failed(client, UV_ETIMEDOUT);
	}
	if (!client->link && !client->lookup && client->current[0] && now_ms >= client->retry_ms)
		attempt(client);
}

void ha_client_wake(struct ha_client *client, uint64_t ms)
{
	uint64_t period = ha_tick_ms(client->conf->heartbeat_ms, client->conf->housekeeping_ms);

	if (client->timer && ms < period)
		uv_timer_start(client->timer, tick, ms, period);
}

/* ---- what others ask for, done on the loop */

static void timer_closed(uv_handle_t *handle)
{
	struct ha_client *client = handle->data;

	free(handle);
	ha_client_release(client);
}

static void begin(struct ha_client *client)
{
	uv_timer_t *timer = calloc(1, sizeof(*timer));
	uint64_t ms = ha_tick_ms(client->conf->heartbeat_ms, client->conf->housekeeping_ms);

	if (!timer) {
		gantry_log(client->inst, ERROR, "no memory: no master is followed");
		return;
	}
	uv_timer_init(gantry_loop_uv(client->loop), timer);
	gantry_loop_own(client->inst, (uv_handle_t *)timer);
	timer->data = client;
	client->timer = timer;
	ha_client_hold(client);
	client->second_ms = gantry_clock_ms();
	uv_timer_start(timer, tick, 0, ms);
}

static void end(struct ha_client *client)
{
	ha_link_end(client, false);
	give_up_lookup(client);
	if (client->timer)
		uv_close((uv_handle_t *)client->timer, timer_closed);
	client->timer = NULL;
	client->current[0] = 0;
}

static void take_change(struct gantry_task *task)
{
	struct ha_client *client = task->user;
	char address[sizeof(client->address)];
	bool open;

	pthread_mutex_lock(&client->lock);
	client->told = false;
	open = client->open;
	memcpy(address, client->address, sizeof(address));
	pthread_mutex_unlock(&client->lock);
	if (!open) {
		end(client);
	} else {
		if (!client->timer)
			begin(client);
		if (strcmp(address, client->current) != 0) {
			gantry_log(client->inst, NOTICE, "the master whose log is followed: %s",
				   address[0] ? address : "none");
			ha_link_end(client, false);
			give_up_lookup(client);
			memcpy(client->current, address, sizeof(address));
			client->retry_ms = 0;
			client->pause_ms = RETRY_MIN_MS;
			ha_client_wake(client, 0);
		}
	}
	ha_client_release(client);
}

/* Under lock. */
static void tell(struct ha_client *client)
{
	if (client->told)
		return;
	client->told = true;
	++client->holders;
	client->change = (struct gantry_task){.run = take_change, .user = client};
	gantry_loop_post(client->loop, &client->change);
}

int ha_client_follow(struct ha_client *client, struct gantry_str address)
{
	char host[HA_HOST_MAX], port[HA_PORT_MAX];
	int rc = address.size ? ha_split_address(address, host, port) : 0;

	if (rc < 0 || address.size >= sizeof(client->address))
		return rc < 0 ? rc : -ENAMETOOLONG;
	pthread_mutex_lock(&client->lock);
	if (address.size)
		memcpy(client->address, address.at, address.size);
	client->address[address.size] = 0;
	if (client->open)
		tell(client);
	pthread_mutex_unlock(&client->lock);
	return 0;
}

void ha_client_open(struct ha_client *client)
{
	pthread_mutex_lock(&client->lock);
	client->open = true;
	tell(client);
	pthread_mutex_unlock(&client->lock);
}

void ha_client_shut(struct ha_client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&client->lock);
	if (client->open) {
		client->open = false;
		tell(client);
	}
	while (client->holders)
		pthread_cond_wait(&client->quiet, &client->lock);
	pthread_mutex_unlock(&client->lock);
}

unsigned ha_client_peers(struct ha_client *client, struct gantry_replica *ret, unsigned max)
{
	bool known;

	pthread_mutex_lock(&client->lock);
	known = client->address[0];
	if (known && max) {
		*ret = (struct gantry_replica){
			.flags = GANTRY_REPLICA_LEADS,
			.at = atomic_load(&client->master_end),
			.from = door_mark(client->door, GANTRY_APPENDED),
			.bytes_per_second = atomic_load(&client->bytes_per_s),
			.read_ms = atomic_load(&client->read_ms),
			.write_ms = atomic_load(&client->written_ms),
		};
		snprintf(ret->address, sizeof(ret->address), "%.63s", client->address);
	}
	pthread_mutex_unlock(&client->lock);
	return known;
}
