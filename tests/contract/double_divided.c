/* SPDX-License-Identifier: Apache-2.0 */
/* A store that changed its kind: a plain log up to the divide, a framed one from there on. Two
 * doors that look like one. */
#include "double_impl.h"

#include <errno.h>

struct conf {
	const char *framed_directory;
};

struct divided_double {
	struct door *plain, *framed;
	struct door_format format;
	struct double_frames frames;
	uint64_t divide; /* UINT64_MAX until the plain log has been recovered */
};

static const struct gantry_log_client nobody = {.size = sizeof(nobody)};

static struct divided_double *data_of(const struct gantry_inst *inst)
{
	return gantry_data(inst);
}

uint64_t divided_double_divide(struct gantry_inst *inst)
{
	return data_of(inst)->divide;
}

/* ---- opening, recovering */

static int attach(struct gantry_inst *inst, const struct gantry_shape *shape,
		  const struct gantry_log_client *client, void *user)
{
	struct divided_double *divided = data_of(inst);
	const struct conf *conf = gantry_conf(inst);
	struct gantry_shape framed = *shape;
	struct gantry_bounds bounds;
	int rc = door_attach(divided->plain, shape, &nobody, NULL);

	framed.directories = &conf->framed_directory;
	framed.directory_count = 1;
	if (rc == 0)
		rc = door_attach(divided->framed, &framed, client, user);
	if (rc < 0) {
		door_detach(divided->plain);
		return rc;
	}
	door_bounds(divided->framed, &bounds);
	divided->divide = bounds.first < bounds.end ? bounds.first : UINT64_MAX;
	return 0;
}

/* Pads the plain log to its segment's end, where the framed one begins. */
static int divide_here(struct divided_double *divided, uint64_t end, int64_t store_ms)
{
	const struct gantry_log_ops *ops;
	struct gantry_log *log = door_log(divided->plain, &ops);
	struct gantry_window window;
	struct gantry_bounds bounds;
	int rc = door_recovered(divided->plain, end, store_ms);

	ops->bounds(log, &bounds);
	if (rc == 0 && bounds.end % bounds.segment_bytes) {
		rc = ops->window(log, DOOR_SPARE, &window);
		if (rc == 0) {
			door_plain.pad(window.to, window.left);
			ops->advance(log, window.left);
		}
	}
	ops->bounds(log, &bounds);
	/* The pad is on the disk before anything stands behind it. */
	if (rc == 0)
		rc = ops->cut(log, bounds.end);
	divided->divide = bounds.end;
	log = door_log(divided->framed, &ops);
	return rc < 0 ? rc : ops->reset(log, divided->divide);
}

static int recovered(struct gantry_inst *inst, uint64_t end, int64_t store_ms)
{
	struct divided_double *divided = data_of(inst);
	int rc = 0;

	if (divided->divide == UINT64_MAX) {
		rc = divide_here(divided, end, store_ms);
		end = divided->divide;
	}
	if (rc < 0)
		return rc;
	double_frames_resume(&divided->frames, divided->framed, divided->divide, end);
	return door_recovered(divided->framed, end, store_ms);
}

static void detach(struct gantry_inst *inst)
{
	door_detach(data_of(inst)->framed);
	door_detach(data_of(inst)->plain);
}

/* ---- the calls, on the side that they are for */

static int propose(struct gantry_inst *inst, struct gantry_batch *batch, struct gantry_op *op)
{
	return door_propose(data_of(inst)->framed, batch, op);
}

static int wait(struct gantry_inst *inst, enum gantry_mark mark, uint64_t upto,
		struct gantry_op *op)
{
	return door_wait(data_of(inst)->framed, mark, upto, op);
}

static uint64_t mark(const struct gantry_inst *inst, enum gantry_mark which)
{
	return door_mark(data_of(inst)->framed, which);
}

static void bounds(const struct gantry_inst *inst, struct gantry_bounds *ret)
{
	struct divided_double *divided = data_of(inst);
	struct gantry_bounds plain;

	door_bounds(divided->plain, &plain);
	if (divided->divide == UINT64_MAX) {
		*ret = plain;
		return;
	}
	door_bounds(divided->framed, ret);
	if (plain.first < plain.end)
		ret->first = plain.first;
}

/* Behind the last plain record stands a pad, and behind that the divide. */
static bool is_behind_plain(struct divided_double *divided, uint64_t at)
{
	struct gantry_bounds plain;

	door_bounds(divided->plain, &plain);
	return divided->divide != UINT64_MAX && at >= plain.first;
}

static int read(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret,
		struct gantry_op *op)
{
	struct divided_double *divided = data_of(inst);
	int rc;

	if (at >= divided->divide)
		return door_read(divided->framed, at, max, ret, op);
	rc = door_read(divided->plain, at, max, ret, op);
	if (rc != -ERANGE || !is_behind_plain(divided, at))
		return rc;
	return door_read(divided->framed, divided->divide, max, ret, op);
}

static int fetch(struct gantry_inst *inst, uint64_t at, uint64_t max, struct gantry_slice *ret)
{
	struct divided_double *divided = data_of(inst);
	int rc;

	if (at >= divided->divide)
		return door_fetch(divided->framed, at, max, ret);
	rc = door_fetch(divided->plain, at, max, ret);
	if (rc != -ERANGE || !is_behind_plain(divided, at))
		return rc;
	return door_fetch(divided->framed, divided->divide, max, ret);
}

static int expire(struct gantry_inst *inst, uint64_t before)
{
	struct divided_double *divided = data_of(inst);
	const struct gantry_log_ops *ops;
	struct gantry_log *log = door_log(divided->plain, &ops);
	struct gantry_bounds plain;
	int removed = door_expire(divided->plain, before);

	if (removed < 0 || before < divided->divide)
		return removed;
	/* A log keeps its last segment; this one goes as a whole. */
	ops->bounds(log, &plain);
	if (plain.first < plain.end && ops->reset(log, divided->divide) == 0)
		++removed;
	return removed + door_expire(divided->framed, before);
}

static int64_t modified_ms(struct gantry_inst *inst, uint64_t at)
{
	struct divided_double *divided = data_of(inst);

	return door_modified_ms(at < divided->divide ? divided->plain : divided->framed, at);
}

/* ---- the plugin */

static int setup(struct gantry_inst *inst)
{
	struct divided_double *divided = data_of(inst);
	struct door_rules plain = {
		.format = &door_plain,
		.replicated = GANTRY_APPENDED,
		.visible = GANTRY_APPENDED,
		.flush_every_ms = 20,
	};
	struct door_rules framed = plain;
	int rc;

	divided->format = door_framed;
	divided->format.frame = double_frame;
	framed.format = &divided->format;
	framed.user = &divided->frames;
	framed.leads_always = true;
	rc = door_new(inst, &plain, &divided->plain);
	return rc < 0 ? rc : door_new(inst, &framed, &divided->framed);
}

static void cleanup(struct gantry_inst *inst)
{
	door_free(data_of(inst)->framed);
	door_free(data_of(inst)->plain);
}

static const struct gantry_replication_ops ops = {
	.size = sizeof(ops),
	.attach = attach,
	.recovered = recovered,
	.propose = propose,
	.wait = wait,
	.mark = mark,
	.bounds = bounds,
	.read = read,
	.expire = expire,
	.modified_ms = modified_ms,
	.detach = detach,
	.fetch = fetch,
};

static const struct gantry_service offers[] = {
	{GANTRY_REPLICATION, 0, "divided-double", &ops},
	{0},
};

static const struct gantry_conf_item keys[] = {
	GANTRY_KEY(PATH, struct conf, framed_directory, "framedDirectory",
		   .flags = GANTRY_CONF_REQUIRED),
	{0},
};

static const struct gantry_lifecycle life = {
	.size = sizeof(life),
	.conf_size = sizeof(struct conf),
	.inst_size = sizeof(struct divided_double),
	.setup = setup,
	.free = cleanup,
};

GANTRY_PLUGIN(replication_divided_double, "replication-divided-double", .version = "1",
	      .license = "Apache-2.0", .summary = "a plain log that goes on as a framed one",
	      .offers = offers, .needs = double_needs, .keys = keys, .life = &life)
