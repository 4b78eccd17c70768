/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <unistd.h>
#include <vector>

#include "recorder.h"

namespace
{

namespace fs = std::filesystem;

const uint64_t kBlock = 4096, kSector = 512;

/* When a block was taken from the page cache: its first sectors at one moment, the rest at another.
 */
struct Moments {
	size_t first, second;
	uint64_t split;
};

class Disk
{
      public:
	Disk(uint32_t file, size_t events, Crash crash, Dice &dice)
	    : file_(file), shape_(*recorder_file_at(file)), events_(events), crash_(crash),
	      dice_(dice)
	{
	}

	void replay();
	void write(const std::string &path);
	uint64_t durable() const
	{
		return durable_;
	}

      private:
	using Bytes = std::vector<uint8_t>;

	bool counts(size_t i) const;
	void find_durable();
	const Moments &moments_of(uint64_t block);
	bool is_there(size_t event, uint64_t at);
	void put(uint64_t at, const uint8_t *from, uint64_t bytes);
	void apply(size_t i);
	void cut(uint64_t at);
	uint64_t start_of(uint64_t at) const
	{
		return at - at % shape_.bytes;
	}
	void write_segment(const std::string &path, const Bytes &bytes, uint64_t size);
	void write_log(const std::string &path);

	uint32_t file_;
	const recorder_file &shape_;
	size_t events_;
	Crash crash_;
	Dice &dice_;
	bool seen_ = false;
	uint64_t durable_ = 0; /* of a log: bytes; of an area: events */
	size_t settled_ = 0;   /* events before it are on the disk whatever was synced */
	std::map<uint64_t, Bytes> images_; /* by segment start; as long as they were written */
	std::map<uint64_t, Moments> moments_;
};

/* What was there before is noted when it is opened, which may be late. */
bool Disk::counts(size_t i) const
{
	const recorder_event *event = recorder_event_at(i);

	return event->file == file_ && (i < events_ || event->act == RECORDER_BASE);
}

void Disk::find_durable()
{
	for (size_t i = 0; i < recorder_events(); i++) {
		const recorder_event *event = recorder_event_at(i);

		if (!counts(i) || event->act == RECORDER_NOTE)
			continue;
		seen_ = true;
		if (event->act == RECORDER_SYNC)
			durable_ = event->at;
		if (event->act == RECORDER_BASE && !shape_.is_area)
			durable_ = event->at + event->bytes;
		if (event->act != RECORDER_CUT && event->act != RECORDER_RESET)
			continue;
		/* what a cut of a small log leaves waits for the next sync */
		durable_ = shape_.is_small ? std::min(durable_, event->at) : event->at;
		if (!shape_.is_small)
			settled_ = i;
	}
}

const Moments &Disk::moments_of(uint64_t block)
{
	auto found = moments_.find(block);

	if (found != moments_.end())
		return found->second;
	auto throw_one = [&] {
		switch (dice_.below(3)) {
		case 0:
			return events_;
		case 1:
			return size_t{0};
		default:
			return size_t{dice_.below(static_cast<uint32_t>(events_) + 1)};
		}
	};
	Moments moments = {throw_one(), 0, kBlock};
	moments.second = moments.first;
	if (dice_.below(2)) { /* torn */
		moments.second = throw_one();
		moments.split = dice_.below(kBlock / kSector) * kSector;
	}
	return moments_[block] = moments;
}

/* Whether a write has come to the disk at that place, which no sync promised. */
bool Disk::is_there(size_t event, uint64_t at)
{
	if (crash_ == Crash::KILL && event + 1 < events_)
		return true;
	const Moments &moments = moments_of(at / kBlock);

	return event < (at % kBlock < moments.split ? moments.first : moments.second);
}

void Disk::put(uint64_t at, const uint8_t *from, uint64_t bytes)
{
	while (bytes) {
		uint64_t start = start_of(at);
		uint64_t piece = std::min(bytes, start + shape_.bytes - at);
		Bytes &image = images_[start];

		if (image.size() < at - start + piece)
			image.resize(at - start + piece);
		memcpy(image.data() + (at - start), from, piece);
		at += piece;
		from += piece;
		bytes -= piece;
	}
}

void Disk::cut(uint64_t at)
{
	images_.erase(images_.lower_bound(start_of(at) == at ? at : start_of(at) + 1),
		      images_.end());
	if (start_of(at) != at) {
		Bytes &image = images_[start_of(at)];

		image.resize(std::min<uint64_t>(image.size(), at % shape_.bytes));
	}
}

void Disk::apply(size_t i)
{
	const recorder_event *event = recorder_event_at(i);
	uint64_t end = event->at + event->bytes;
	bool synced = shape_.is_area && i < durable_;

	if (event->act == RECORDER_CUT)
		cut(event->at);
	else if (event->act == RECORDER_RESET)
		images_.clear();
	else if (event->act == RECORDER_EXPIRE)
		images_.erase(images_.begin(), images_.lower_bound(event->at));
	else if (event->act == RECORDER_BASE)
		put(event->at, event->data, event->bytes);
	if (event->act != RECORDER_WRITE)
		return;
	for (uint64_t at = event->at; at < end;) {
		uint64_t next = std::min(end, at - at % kSector + kSector);

		if (!shape_.is_area && at < durable_)
			next = std::min(next, durable_);
		if (synced || i < settled_ || (!shape_.is_area && at < durable_) || is_there(i, at))
			put(at, event->data + (at - event->at), next - at);
		else
			images_[start_of(at)]; /* its name may have come */
		at = next;
	}
}

void Disk::replay()
{
	find_durable();
	for (size_t i = 0; i < recorder_events(); i++)
		if (counts(i))
			apply(i);
}

void Disk::write_segment(const std::string &path, const Bytes &bytes, uint64_t size)
{
	int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, static_cast<off_t>(size)) ||
	    pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
		abort();
	close(fd);
}

/* Names that were not synced may be missing, but only behind those that are there; the last may
 * have no length yet. */
void Disk::write_log(const std::string &path)
{
	char name[32];
	uint64_t last = images_.rbegin()->first;
	uint64_t sure = durable_ ? start_of(durable_ - 1) + shape_.bytes : images_.begin()->first;
	bool emptied = false;

	if (sure < images_.begin()->first)
		sure = images_.begin()->first;
	if (crash_ == Crash::POWER && last >= sure && dice_.below(2)) {
		uint64_t count = (last - sure) / shape_.bytes + 1;

		last = sure + dice_.below(static_cast<uint32_t>(count) + 1) * shape_.bytes;
		emptied = last != sure && dice_.below(2);
		last -= shape_.bytes; /* of none at all: what follows wraps around */
	}
	if (!shape_.is_small && last == images_.rbegin()->first && dice_.below(4) == 0)
		images_[last += shape_.bytes]; /* prepared ahead */
	fs::create_directories(path);
	if (last + shape_.bytes <= images_.begin()->first)
		return;
	for (uint64_t start = images_.begin()->first; start <= last; start += shape_.bytes) {
		snprintf(name, sizeof(name), "/%020llu", static_cast<unsigned long long>(start));
		if (start == last && emptied)
			write_segment(path + name, {}, 0);
		else
			write_segment(path + name, images_[start], shape_.bytes);
	}
}

void Disk::write(const std::string &path)
{
	if (!seen_ || images_.empty())
		return;
	if (!shape_.is_area) {
		write_log(path);
		return;
	}
	fs::create_directories(fs::path(path).parent_path());
	write_segment(path, images_[0], shape_.bytes);
}

/* Queues that nobody opened meanwhile. */
void copy_others(const std::string &from, const std::string &to)
{
	std::error_code none;

	for (auto &topic : fs::directory_iterator(from + "/consumequeue", none)) {
		for (auto &queue : fs::directory_iterator(topic.path())) {
			bool recorded = false;

			for (uint32_t i = 0; i < recorder_files(); i++)
				recorded |= recorder_file_at(i)->path == queue.path();
			std::string path = to + queue.path().string().substr(from.size());
			if (recorded)
				continue;
			fs::create_directories(path);
			fs::copy(queue.path(), path);
		}
	}
}

} // namespace

uint64_t make_disk(const std::string &from, const std::string &to, size_t events, Crash crash,
		   Dice &dice, const std::string &log)
{
	uint64_t durable = 0;

	fs::create_directories(to);
	for (uint32_t i = 0; i < recorder_files(); i++) {
		std::string path = recorder_file_at(i)->path;
		Disk disk(i, events, crash, dice);

		disk.replay();
		disk.write(to + path.substr(from.size()));
		if (fs::path(path).filename() == log)
			durable = disk.durable();
	}
	copy_others(from, to);
	return durable;
}
