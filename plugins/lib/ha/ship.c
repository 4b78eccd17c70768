/* SPDX-License-Identifier: Apache-2.0 */
/* Sending the log to a slave: bytes go from the log to the socket as they are, several headers with
 * their bodies in one write. One read, wait or write at a time. */
#include "master_impl.h"

#include <errno.h>

/* ---- where to begin */

/* Java's rule for a slave that has nothing: the last file. */
static uint64_t begin_of_all(const struct ha_master *master, const struct gantry_bounds *bounds)
{
	uint64_t last = bounds->end - bounds->end % bounds->segment_bytes;

	return master->conf->from_first_file || last < bounds->first ? bounds->first : last;
}

bool ha_ship_begin(struct ha_slave *slave, uint64_t offset)
{
	struct ha_master *master = slave->master;
	struct gantry_bounds bounds;
	uint64_t from = offset;

	master->ops->bounds(master->log, &bounds);
	if (offset == 0)
		from = begin_of_all(master, &bounds);
	if (from < bounds.first || from > bounds.end) {
		gantry_log_limited(
			master->inst, &master->refuse_limit, ERROR,
			"%s has a log that ends at %llu, and this one goes from %llu to %llu: it "
			"is no slave of this master's log, or was written to after this master "
			"lost what it had; empty its store to let it begin anew",
			slave->address, (unsigned long long)offset,
			(unsigned long long)bounds.first, (unsigned long long)bounds.end);
		return false;
	}
	gantry_log_limited(master->inst, &master->begin_limit, NOTICE,
			   "slave %s has the log to %llu and gets it from %llu", slave->address,
			   (unsigned long long)offset, (unsigned long long)from);
	atomic_store(&slave->sent, from);
	return true;
}

/* ---- flow control */

static void next_second(struct ha_slave *slave)
{
	uint64_t now_ms = gantry_clock_ms(), passed_ms = now_ms - slave->second_ms;

	if (passed_ms < 1000)
		return;
	atomic_store(&slave->bytes_per_s, slave->second_bytes * 1000 / passed_ms);
	slave->second_ms = now_ms;
	slave->second_bytes = 0;
}

/* Bytes that may be sent now. */
static uint64_t allowed(struct ha_slave *slave)
{
	const struct ha_master_conf *conf = slave->master->conf;
	uint64_t most = (uint64_t)conf->batch_bytes * SHIP_BATCHES, left;

	if (most > SHIP_MAX)
		most = SHIP_MAX;
	if (!conf->speed_limited)
		return most;
	next_second(slave);
	left = slave->second_bytes < (uint64_t)conf->speed_max
		       ? (uint64_t)conf->speed_max - slave->second_bytes
		       : 0;
	return left < most ? left : most;
}

/* ---- writing */

static void written(uv_write_t *write, int status)
{
	struct ha_slave *slave = write->data;

	slave->writing = false;
	gantry_slice_release(&slave->slice);
	if (status < 0 && status != UV_ECANCELED && !slave->closed)
		gantry_log_limited(slave->master->inst, &slave->master->gone_limit, WARNING,
				   "the log cannot be sent to slave %s: %s", slave->address,
				   uv_strerror(status));
	if (status < 0) {
		ha_slave_close(slave);
	} else {
		slave->wrote_ms = gantry_clock_ms();
		atomic_store(&slave->spoke_ms, ha_wall_ms());
	}
	if (!slave->closed)
		ha_ship(slave);
	ha_slave_release(slave);
}

static void write_out(struct ha_slave *slave, const uv_buf_t *buffers, unsigned count)
{
	slave->writing = true;
	slave->write.data = slave;
	ha_slave_hold(slave);
	if (uv_write(&slave->write, (uv_stream_t *)&slave->tcp, buffers, count, written) == 0)
		return;
	slave->writing = false;
	gantry_slice_release(&slave->slice);
	ha_slave_close(slave);
	ha_slave_release(slave);
}

/* Hands slave->slice to the socket, a header before each batch of it. */
static void write_slice(struct ha_slave *slave)
{
	const struct gantry_slice *slice = &slave->slice;
	size_t batch_max = (size_t)slave->master->conf->batch_bytes, done = 0;
	uv_buf_t buffers[2 * SHIP_BATCHES];
	unsigned count = 0;

	while (done < slice->size && count < 2 * SHIP_BATCHES) {
		size_t size = slice->size - done < batch_max ? slice->size - done : batch_max;
		uint8_t *head = slave->heads + (size_t)(count / 2) * HA_HEAD_BYTES;

		ha_put_head(head, slice->offset + done, (uint32_t)size);
		buffers[count++] = uv_buf_init((char *)head, HA_HEAD_BYTES);
		buffers[count++] =
			uv_buf_init((char *)(uintptr_t)(slice->bytes + done), (unsigned)size);
		done += size;
	}
	next_second(slave);
	slave->second_bytes += done;
	atomic_store(&slave->sent, slice->offset + done);
	write_out(slave, buffers, count);
}

static void write_heartbeat(struct ha_slave *slave)
{
	uv_buf_t buffer = uv_buf_init((char *)slave->heads, HA_HEAD_BYTES);

	ha_put_head(slave->heads, atomic_load(&slave->sent), 0);
	write_out(slave, &buffer, 1);
}

/* ---- reading and waiting */

static void read_failed(struct ha_slave *slave, int status)
{
	struct ha_master *master = slave->master;

	gantry_log_limited(master->inst, &master->read_limit, ERROR,
			   "the log cannot be read at %llu (%s): slave %s gets no further",
			   (unsigned long long)atomic_load(&slave->sent), strerror(-status),
			   slave->address);
	ha_slave_close(slave);
}

/* A log that is fenced grows no more, and what was staged of it can not be read; heartbeats go on.
 */
static void note_fence(struct ha_slave *slave, int status)
{
	slave->fenced = status == -EIO && door_fenced(slave->master->door);
}

static void op_done(struct gantry_op *op)
{
	struct ha_slave *slave = op->user;

	slave->waits = HA_IDLE;
	note_fence(slave, op->status);
	if (slave->closed)
		;
	else if (op->status == -ESHUTDOWN)
		ha_slave_close(slave);
	else if (op->status < 0 && !slave->fenced)
		read_failed(slave, op->status);
	else
		ha_ship(slave);
	ha_slave_release(slave);
}

/* Whatever it is, rc is what the call says that op was handed to. */
static int await(struct ha_slave *slave, int what, int rc)
{
	if (rc == GANTRY_PENDING)
		slave->waits = what;
	else
		ha_slave_release(slave);
	return rc;
}

/* The next bytes into slave->slice: 0. Positive: not now. -EAGAIN: there are some meanwhile. */
static int next_slice(struct ha_slave *slave, uint64_t max)
{
	struct ha_master *master = slave->master;
	uint64_t at = atomic_load(&slave->sent), upto = door_mark(master->door, master->upto);
	int rc;

	slave->op = (struct gantry_op){.done = op_done, .loop = slave->loop, .user = slave};
	ha_slave_hold(slave);
	if (at < upto)
		rc = await(slave, HA_COLD,
			   master->ops->read(master->log, at, upto - at < max ? upto - at : max,
					     &slave->slice, &slave->op));
	else
		rc = await(slave, HA_GROWTH,
			   door_wait(master->door, master->upto, at + 1, &slave->op));
	note_fence(slave, rc);
	if (slave->fenced)
		return 1;
	return rc == 0 && at >= upto ? -EAGAIN : rc;
}

void ha_ship(struct ha_slave *slave)
{
	while (!slave->closed && !slave->writing && slave->waits == HA_IDLE && !slave->fenced) {
		uint64_t max = allowed(slave);
		int rc;

		if (max == 0)
			return; /* the next tick comes back */
		rc = next_slice(slave, max);
		if (rc == 0)
			write_slice(slave);
		else if (rc == -ESHUTDOWN)
			ha_slave_close(slave);
		else if (rc < 0 && rc != -EAGAIN)
			read_failed(slave, rc);
		else if (rc > 0)
			return;
	}
}

void ha_ship_tick(struct ha_slave *slave)
{
	uint64_t now_ms = gantry_clock_ms();

	if (!atomic_load(&slave->reported))
		return;
	next_second(slave);
	ha_ship(slave);
	if (!slave->closed && !slave->writing &&
	    now_ms - slave->wrote_ms >= (uint64_t)slave->master->conf->heartbeat_ms)
		write_heartbeat(slave);
}
