/* SPDX-License-Identifier: Apache-2.0 */
/* What a role is to a replication mode: it places records that know their own offset, waits for
 * marks, reads back, and is told of cuts and of its role. */
#ifndef CONTRACT_CLIENT_H
#define CONTRACT_CLIENT_H

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "world.h"

struct Record {
	uint64_t at;
	uint64_t number;
	int64_t store_ms;
	std::string body;

	uint64_t end() const;
	bool operator==(const Record &other) const
	{
		return at == other.at && number == other.number && store_ms == other.store_ms &&
		       body == other.body;
	}
};

/* A proposal and what became of it. */
struct Sent {
	explicit Sent(World &world) : op(world)
	{
	}
	int rc = 0; /* what propose returned */
	uint32_t placed = 0;
	uint64_t end = 0; /* of the batch */
	int64_t store_ms = 0;
	std::vector<Record> records;
	Op op;

	bool over() const
	{
		return rc <= 0 || op.done();
	}
	/* The acknowledgement; a negative errno if there is none. */
	int answer() const;
};

class Client
{
      public:
	Client(World &world, const std::string &mode);
	~Client();

	int attach(const std::string &directory, uint64_t segment_bytes = 64 * 1024);
	/* Reads from that offset (default: the first byte) what is valid, and says so. */
	int recover(uint64_t from = UINT64_MAX);
	void detach();

	/* Proposes one batch of records with these bodies. unit: how many share a segment. The
	 * client keeps what it returns. */
	Sent *send(const std::vector<std::string> &bodies, uint32_t unit = 1, uint32_t flags = 0,
		   uint64_t deadline_ms = 0);
	/* Sends one record and waits for its answer. */
	int send_and_wait(const std::string &body);
	/* Waits until a mark has reached upto. */
	int wait(gantry_mark mark, uint64_t upto);
	uint64_t mark(gantry_mark mark) const;
	gantry_bounds bounds() const;
	/* The records from there to the visible mark, or to the log's end; every one is checked. */
	std::vector<Record> scan(uint64_t from, bool to_end = false);
	/* The record that begins there. */
	Record read(uint64_t at, uint64_t size);

	const gantry_replication_ops *ops;
	gantry_inst *inst;
	gantry_log_client calls = {}; /* may be changed before attaching */
	std::vector<Record> placed;   /* by this client, in order; cut with the log */
	std::vector<uint64_t> cuts;
	std::vector<std::pair<int, uint64_t>> roles; /* leads, term */
	gantry_op *ready = nullptr;                  /* with hold_ready: what role was handed */
	bool hold_ready = false;
	uint64_t scanned_to = 0; /* where the last scan ended */

      private:
	static uint32_t place(gantry_batch *batch, gantry_record *record, uint8_t *to, uint64_t at,
			      int64_t store_ms);
	int slice(uint64_t at, uint64_t max, gantry_slice *ret);

	World &world_;
	std::vector<std::unique_ptr<Sent>> sent_;
	bool attached_ = false;
	uint64_t number_ = 0;
};

constexpr uint64_t RECORD_HEAD = 40; /* bytes before a record's body */
inline uint64_t Record::end() const
{
	return at + RECORD_HEAD + body.size();
}

/* The record that size bytes begin with; false if they are none. wanted: the bytes that it has. */
bool parse_record(const uint8_t *bytes, uint64_t size, uint64_t at, Record *ret, uint64_t *wanted);
std::string encode_record(uint64_t at, uint64_t number, int64_t store_ms, const std::string &body);

#endif
