/* SPDX-License-Identifier: Apache-2.0 */
#include "log_fixture.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

const std::vector<Engine> file_engines = {
	{"mmap", "storage-mmap", ""},
	{"pool", "storage-mmap", "transientStorePoolEnable = true\n"},
	{"io_uring", "storage-io-uring", "flushDiskType = SYNC_FLUSH\n"},
};

const std::vector<Engine> every_engine = [] {
	auto all = file_engines;

	all.push_back({"slow", "storage-slow", ""});
	return all;
}();

std::string section(const Engine &engine)
{
	return "[plugin " + std::string(engine.plugin) + "]\n" + engine.keys;
}

void PrintTo(const Engine &engine, std::ostream *os)
{
	*os << engine.name;
}

Log::Log(World &world, const Engine &engine) : inst(world.inst(engine.plugin)), world_(world)
{
	ops = world.ops<gantry_storage_ops>(GANTRY_STORAGE, engine.plugin)->log;
}

Log::~Log()
{
	close();
}

int Log::open(const Shape &shape)
{
	std::vector<const char *> directories;
	gantry_shape s = {};

	for (auto &directory : shape.directories)
		directories.push_back(directory.c_str());
	s.directories = directories.data();
	s.directory_count = static_cast<uint32_t>(directories.size());
	s.segment_bytes = shape.segment_bytes;
	s.start = shape.start;
	s.flags = shape.flags;
	return ops->open(inst, &s, &log);
}

void Log::close()
{
	ops->close(log);
	log = nullptr;
}

gantry_bounds Log::bounds() const
{
	gantry_bounds bounds;

	ops->bounds(log, &bounds);
	return bounds;
}

int Log::write(const std::string &bytes)
{
	size_t done = 0;

	while (done < bytes.size()) {
		gantry_window window;
		int rc = ops->window(log, bytes.size() - done, &window);

		if (rc < 0)
			return rc;
		size_t piece = std::min<uint64_t>(bytes.size() - done, window.usable);
		EXPECT_GT(piece, 0u);
		EXPECT_EQ(window.at, end());
		memcpy(window.to, bytes.data() + done, piece);
		ops->advance(log, piece);
		done += piece;
	}
	return 0;
}

int Log::read(uint64_t at, uint64_t max, gantry_slice *ret)
{
	for (;;) {
		Op op(world_);
		int rc = ops->read(log, at, max, ret, op.get());

		if (rc <= 0)
			return rc;
		rc = op.finish(rc);
		if (rc < 0)
			return rc;
	}
}

std::string Log::text(uint64_t at, uint64_t max)
{
	gantry_slice slice = {};
	int rc = read(at, max, &slice);

	if (rc < 0)
		return strerror(-rc);
	std::string text(reinterpret_cast<const char *>(slice.bytes), slice.size);
	EXPECT_EQ(slice.offset, at);
	gantry_slice_release(&slice);
	return text;
}

std::string Log::all(uint64_t at)
{
	std::string all;

	while (at + all.size() < end())
		all += text(at + all.size(), UINT64_MAX);
	return all;
}

int Log::sync()
{
	Op op(world_);

	return op.finish(ops->sync(log, end(), op.get()));
}

std::string pattern(uint64_t at, size_t size)
{
	std::string text(size, 0);

	for (size_t i = 0; i < size; ++i) {
		uint64_t word = (at + i) / 8 * 0x9e3779b97f4a7c15u;

		text[i] = static_cast<char>(word >> (8 * ((at + i) % 8)) | 1);
	}
	return text;
}

std::string name_of(uint64_t start)
{
	char name[32];

	snprintf(name, sizeof(name), "%020llu", static_cast<unsigned long long>(start));
	return name;
}

std::string file_text(const std::string &path)
{
	std::ifstream file(path, std::ios::binary);

	return {std::istreambuf_iterator<char>(file), {}};
}

void make_file(const std::string &path, const std::string &head, uint64_t size)
{
	std::filesystem::create_directories(std::filesystem::path(path).parent_path());
	std::ofstream(path, std::ios::binary) << head;
	std::filesystem::resize_file(path, size);
}

std::vector<std::string> names_in(const std::string &directory)
{
	std::vector<std::string> names;
	std::error_code none;

	for (auto &entry : std::filesystem::directory_iterator(directory, none))
		names.push_back(entry.path().filename());
	std::sort(names.begin(), names.end());
	return names;
}
