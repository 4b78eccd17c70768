/* SPDX-License-Identifier: Apache-2.0 */
/* A record: int32 size, int32 magic, int64 its offset, number, store time, checksum; then the body.
 * Size and magic stand where RocketMQ's do. */
#include "client.h"

#include <cerrno>
#include <cstring>
#include <endian.h>

static constexpr uint32_t MAGIC = 0xDAA320A7;

/* ---- records */

static uint64_t checksum(const std::string &bytes)
{
	uint64_t sum = 14695981039346656037u;

	for (size_t i = 0; i < bytes.size(); ++i) {
		if (i < 32 || i >= RECORD_HEAD) /* but the checksum itself */
			sum = (sum ^ static_cast<uint8_t>(bytes[i])) * 1099511628211u;
	}
	return sum;
}

static uint64_t get(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, 8);
	return be64toh(value);
}

static void put(std::string &to, size_t at, uint64_t value)
{
	value = htobe64(value);
	memcpy(to.data() + at, &value, 8);
}

std::string encode_record(uint64_t at, uint64_t number, int64_t store_ms, const std::string &body)
{
	std::string text(RECORD_HEAD, 0);

	text += body;
	put(text, 0, static_cast<uint64_t>(text.size()) << 32 | MAGIC);
	put(text, 8, at);
	put(text, 16, number);
	put(text, 24, static_cast<uint64_t>(store_ms));
	put(text, 32, checksum(text));
	return text;
}

bool parse_record(const uint8_t *bytes, uint64_t size, uint64_t at, Record *ret, uint64_t *wanted)
{
	*wanted = RECORD_HEAD;
	if (size < RECORD_HEAD || (get(bytes) & UINT32_MAX) != MAGIC ||
	    get(bytes) >> 32 < RECORD_HEAD)
		return false;
	*wanted = get(bytes) >> 32;
	if (size < *wanted || get(bytes + 8) != at)
		return false;
	std::string text(reinterpret_cast<const char *>(bytes), *wanted);
	if (checksum(text) != get(bytes + 32))
		return false;
	*ret = {at, get(bytes + 16), static_cast<int64_t>(get(bytes + 24)),
		text.substr(RECORD_HEAD)};
	return true;
}

int Sent::answer() const
{
	if (rc <= 0)
		return rc;
	return op.status() < 0 ? op.status() : static_cast<int>(op.result());
}

/* ---- attaching */

Client::Client(World &world, const std::string &mode) : inst(world.inst(mode)), world_(world)
{
	ops = static_cast<const gantry_replication_ops *>(
		world.ops<gantry_replication_ops>(GANTRY_REPLICATION, mode));
	calls.size = sizeof(calls);
	calls.cut = [](void *user, uint64_t at) {
		auto *self = static_cast<Client *>(user);

		self->cuts.push_back(at);
		while (!self->placed.empty() && self->placed.back().end() > at)
			self->placed.pop_back();
		return 0;
	};
	calls.role = [](void *user, int leads, uint64_t term, gantry_op *ready) -> int {
		auto *self = static_cast<Client *>(user);

		self->roles.emplace_back(leads, term);
		if (!leads || !self->hold_ready)
			return 0;
		gantry_op_take(ready, nullptr, self);
		self->ready = ready;
		return GANTRY_PENDING;
	};
}

Client::~Client()
{
	detach();
	for (auto &sent : sent_)
		world_.until([&] { return sent->over(); });
}

int Client::attach(const std::string &directory, uint64_t segment_bytes)
{
	const char *directories[] = {directory.c_str()};
	gantry_shape shape = {};

	shape.directories = directories;
	shape.directory_count = 1;
	shape.segment_bytes = segment_bytes;
	int rc = ops->attach(inst, &shape, &calls, this);
	attached_ = rc == 0;
	return rc;
}

int Client::recover(uint64_t from)
{
	if (from == UINT64_MAX)
		from = bounds().first;
	scanned_to = from;
	auto records = from < bounds().end ? scan(from, true) : std::vector<Record>();
	int64_t store_ms = records.empty() ? 0 : records.back().store_ms;

	if (!records.empty())
		number_ = records.back().number + 1;
	placed = records;
	return ops->recovered(inst, scanned_to, store_ms);
}

void Client::detach()
{
	if (attached_)
		ops->detach(inst);
	attached_ = false;
}

/* ---- proposing */

uint32_t Client::place(gantry_batch *batch, gantry_record *record, uint8_t *to, uint64_t at,
		       int64_t store_ms)
{
	auto *self = static_cast<Client *>(batch->user);
	auto *body = static_cast<std::string *>(record->user);
	std::string text = encode_record(at, self->number_, store_ms, *body);

	if (body->empty()) /* left out */
		return 0;
	memcpy(to, text.data(), text.size());
	self->placed.push_back({at, self->number_++, store_ms, *body});
	return static_cast<uint32_t>(text.size());
}

Sent *Client::send(const std::vector<std::string> &bodies, uint32_t unit, uint32_t flags,
		   uint64_t deadline_ms)
{
	sent_.push_back(std::make_unique<Sent>(world_));
	Sent *sent = sent_.back().get();
	std::vector<gantry_record> records(bodies.size());
	std::vector<std::string> copies = bodies;
	gantry_batch batch = {};

	for (size_t i = 0; i < bodies.size(); ++i) {
		records[i].bytes_max = static_cast<uint32_t>(RECORD_HEAD + bodies[i].size());
		records[i].unit = i % unit == 0 ? unit : 1;
		records[i].flags = flags;
		records[i].user = &copies[i];
	}
	batch.record = records.data();
	batch.count = static_cast<uint32_t>(records.size());
	batch.place = place;
	batch.user = this;
	size_t before = placed.size();
	sent->op.get()->deadline_ms = deadline_ms;
	sent->rc = ops->propose(inst, &batch, sent->op.get());
	sent->placed = batch.placed;
	sent->end = batch.end;
	sent->store_ms = batch.store_ms;
	sent->records.assign(placed.begin() + static_cast<long>(before), placed.end());
	size_t next = 0;
	for (uint32_t i = 0; i < batch.placed && sent->rc >= 0; ++i) {
		if (!records[i].bytes)
			continue;
		EXPECT_EQ(records[i].at, sent->records[next].at);
		EXPECT_EQ(records[i].at + records[i].bytes, sent->records[next].end());
		++next;
	}
	return sent;
}

int Client::send_and_wait(const std::string &body)
{
	auto sent = send({body});

	world_.until([&] { return sent->over(); });
	return sent->answer();
}

/* ---- marks */

int Client::wait(gantry_mark mark, uint64_t upto)
{
	Op op(world_);
	int rc = ops->wait(inst, mark, upto, op.get());

	if (rc == 0) {
		EXPECT_GE(this->mark(mark), upto);
	}
	return op.finish(rc);
}

uint64_t Client::mark(gantry_mark mark) const
{
	return ops->mark(inst, mark);
}

gantry_bounds Client::bounds() const
{
	gantry_bounds bounds;

	ops->bounds(inst, &bounds);
	return bounds;
}

/* ---- reading */

int Client::slice(uint64_t at, uint64_t max, gantry_slice *ret)
{
	for (;;) {
		Op op(world_);
		int rc = ops->read(inst, at, max, ret, op.get());

		if (rc <= 0 || (rc = op.finish(rc)) < 0)
			return rc;
	}
}

std::vector<Record> Client::scan(uint64_t from, bool to_end)
{
	std::vector<Record> records;
	uint64_t want = 16 * 1024, limit = to_end ? bounds().end : mark(GANTRY_VISIBLE);

	scanned_to = from;
	while (scanned_to < limit) {
		gantry_slice got;
		Record record;
		uint64_t done = 0, wanted = 0;
		int rc = slice(scanned_to, want, &got);

		if (rc < 0) {
			EXPECT_EQ(rc, -ERANGE);
			break;
		}
		/* The visible mark may end inside of a record. */
		if (got.offset + got.size > limit)
			got.size = got.offset < limit ? limit - got.offset : 0;
		while (parse_record(got.bytes + done, got.size - done, got.offset + done, &record,
				    &wanted)) {
			records.push_back(record);
			done += RECORD_HEAD + record.body.size();
		}
		bool more =
			wanted > got.size - done && got.size == want && wanted <= GANTRY_SLICE_MAX;
		uint64_t offset = got.offset;
		gantry_slice_release(&got);
		if (done) {
			scanned_to = offset + done;
			want = 16 * 1024;
		} else if (more && wanted > want) {
			want = wanted; /* the record is longer than what was asked for */
		} else {
			break;
		}
	}
	return records;
}

Record Client::read(uint64_t at, uint64_t size)
{
	Record record = {};
	gantry_slice got;
	uint64_t wanted;
	int rc = slice(at, size, &got);

	EXPECT_EQ(rc, 0) << strerror(-rc);
	if (rc < 0)
		return record;
	EXPECT_EQ(got.offset, at);
	EXPECT_TRUE(parse_record(got.bytes, got.size, at, &record, &wanted));
	gantry_slice_release(&got);
	return record;
}
