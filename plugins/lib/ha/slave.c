/* SPDX-License-Identifier: Apache-2.0 */
/* A slave's connection on the master: accepted, its reports read, closed. */
#include "master_impl.h"
#include "tick.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- closed */

static void handle_closed(uv_handle_t *handle)
{
	ha_slave_release(handle->data);
}

void ha_slave_close(struct ha_slave *slave)
{
	struct ha_master *master = slave->master;
	bool counted = atomic_exchange(&slave->reported, false);

	if (slave->closed)
		return;
	slave->closed = true;
	if (slave->waits != HA_IDLE)
		gantry_op_cancel(&slave->op);
	uv_close((uv_handle_t *)&slave->tcp, handle_closed);
	uv_close((uv_handle_t *)&slave->timer, handle_closed);
	if (!counted)
		return;
	gantry_log_limited(master->inst, &master->gone_limit, NOTICE,
			   "slave %s has gone; it had the log to %llu", slave->address,
			   (unsigned long long)atomic_load(&slave->acked));
	if (master->changed)
		master->changed(master->user);
}

/* ---- reports */

/* What a slave may say: no more than it was sent, or, at first, than there is. */
static bool take_report(struct ha_slave *slave, int64_t offset)
{
	struct ha_master *master = slave->master;

	if (offset < 0 ||
	    (atomic_load(&slave->reported) && (uint64_t)offset > atomic_load(&slave->sent))) {
		gantry_log_limited(master->inst, &master->bad_limit, WARNING,
				   "%s reports offset %lld, which is not on its way to a slave: "
				   "its connection is closed",
				   slave->address, (long long)offset);
		return false;
	}
	if (atomic_load(&slave->reported)) {
		atomic_store(&slave->acked, (uint64_t)offset);
		return true;
	}
	if (!ha_ship_begin(slave, (uint64_t)offset))
		return false;
	ha_slave_known(slave, (uint64_t)offset);
	return true;
}

/* The newest whole report counts, as in Java, behind the first one, which is where to begin. */
static void take_reports(struct ha_slave *slave)
{
	size_t whole = slave->in_used - slave->in_used % HA_REPORT_BYTES;
	bool first = !atomic_load(&slave->reported), good = true;

	if (whole == 0)
		return;
	if (first)
		good = take_report(slave, ha_get_report(slave->in));
	if (good && (!first || whole > HA_REPORT_BYTES))
		good = take_report(slave, ha_get_report(slave->in + whole - HA_REPORT_BYTES));
	if (!good) {
		ha_slave_close(slave);
		return;
	}
	memmove(slave->in, slave->in + whole, slave->in_used - whole);
	slave->in_used -= whole;
	if (slave->master->changed)
		slave->master->changed(slave->master->user);
	if (first)
		ha_ship(slave);
}

static void provide_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct ha_slave *slave = handle->data;

	(void)suggested;
	*ret = uv_buf_init((char *)slave->in + slave->in_used,
			   (unsigned)(REPORTS_MAX - slave->in_used));
}

static void bytes_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct ha_slave *slave = stream->data;

	(void)buffer;
	if (slave->closed || size == 0)
		return;
	if (size < 0) {
		ha_slave_close(slave);
		return;
	}
	slave->in_used += (size_t)size;
	slave->read_ms = gantry_clock_ms();
	atomic_store(&slave->heard_ms, ha_wall_ms());
	take_reports(slave);
}

static void tick(uv_timer_t *timer)
{
	struct ha_slave *slave = timer->data;
	struct ha_master *master = slave->master;
	uint64_t silent_ms = gantry_clock_ms() - slave->read_ms;

	if (silent_ms > (uint64_t)master->conf->housekeeping_ms) {
		gantry_log_limited(master->inst, &master->gone_limit, WARNING,
				   "slave %s has been silent for %llu ms: its connection is closed",
				   slave->address, (unsigned long long)silent_ms);
		ha_slave_close(slave);
		return;
	}
	ha_ship_tick(slave);
}

/* ---- accepted */

static struct ha_slave *make(struct ha_master *master, struct gantry_loop *loop)
{
	struct ha_slave *slave = calloc(1, sizeof(*slave));
	struct uv_loop_s *uv = gantry_loop_uv(loop);

	if (!slave)
		return NULL;
	slave->master = master;
	slave->loop = loop;
	slave->holders = 2;
	slave->tcp.data = slave->timer.data = slave;
	if (!ha_master_take(slave)) {
		free(slave);
		return NULL;
	}
	uv_tcp_init(uv, &slave->tcp);
	uv_timer_init(uv, &slave->timer);
	gantry_loop_own(master->inst, (uv_handle_t *)&slave->tcp);
	gantry_loop_own(master->inst, (uv_handle_t *)&slave->timer);
	return slave;
}

void ha_slave_accepted(struct gantry_listener *listener, struct gantry_loop *loop, int fd,
		       void *user)
{
	struct ha_master *master = user;
	struct ha_slave *slave = make(master, loop);
	uint64_t ms = ha_tick_ms(master->conf->heartbeat_ms, master->conf->housekeeping_ms);

	(void)listener;
	if (!slave) {
		close(fd);
		return;
	}
	slave->read_ms = slave->wrote_ms = slave->second_ms = gantry_clock_ms();
	if (uv_tcp_open(&slave->tcp, fd) != 0) {
		close(fd);
		ha_slave_close(slave);
		return;
	}
	ha_peer_text(&slave->tcp, slave->address);
	uv_tcp_nodelay(&slave->tcp, 1);
	if (uv_read_start((uv_stream_t *)&slave->tcp, provide_room, bytes_read) != 0 ||
	    uv_timer_start(&slave->timer, tick, ms, ms) != 0)
		ha_slave_close(slave);
}
