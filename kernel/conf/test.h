/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the configuration: files in a folder that goes with the test, and a gk_conf. */
#ifndef GK_CONF_TEST_H
#define GK_CONF_TEST_H

#include "conf/private.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <vector>

class ConfTest : public ::testing::Test
{
      protected:
	ConfTest()
	{
		std::string name = ::testing::TempDir() + "gantry-conf-XXXXXX";

		unsetenv("NAMESRV_ADDR");
		if (mkdtemp(name.data()))
			folder = name;
		std::filesystem::create_directories(folder / "conf.d");
	}
	~ConfTest() override
	{
		gk_conf_free(conf);
		std::filesystem::remove_all(folder);
	}

	std::string write(const std::string &name, const std::string &text)
	{
		std::ofstream(folder / name, std::ios::binary) << text;
		return folder / name;
	}
	void fragment(const std::string &name, const std::string &text)
	{
		write("conf.d/" + name, text);
	}
	// Adds a role with that property file and returns its name.
	const char *role(const char *kind, const std::string &text, const std::string &file)
	{
		const char *name = nullptr;

		EXPECT_EQ(gk_conf_add_role(conf, kind, &name), 0);
		code = gk_conf_read_properties(conf, name, write(file, text).c_str(), &error);
		return name;
	}
	const char *broker(const std::string &text)
	{
		return role("broker", text, "broker.properties");
	}
	int read_fragments()
	{
		return code = gk_conf_read_directory(conf, (folder / "conf.d").c_str(), &error);
	}
	int choose()
	{
		return read_fragments() ? code : code = gk_conf_choose(conf, &error);
	}
	const gk_chosen *chosen(const std::string &name, const std::string &of = "broker")
	{
		for (unsigned i = 0; i < gk_conf_chosen_count(conf); i++) {
			const gk_chosen *at = gk_conf_chosen(conf, i);

			if (at->name == name && at->role == of)
				return at;
		}
		return nullptr;
	}
	// "storage-mmap replication-async": what one role has
	std::string all_chosen(const std::string &of = "broker")
	{
		std::string names;

		for (unsigned i = 0; i < gk_conf_chosen_count(conf); i++)
			if (gk_conf_chosen(conf, i)->role == of)
				names += (names.empty() ? "" : " ") +
					 std::string(gk_conf_chosen(conf, i)->name);
		return names;
	}
	// A text with the test's folder taken out.
	std::string bare(std::string text) const
	{
		std::string prefix = folder.string() + "/";

		for (size_t at; (at = text.find(prefix)) != std::string::npos;)
			text.erase(at, prefix.size());
		return text;
	}
	std::string why() const
	{
		return bare(error.text);
	}
	std::vector<std::string> warnings()
	{
		std::vector<std::string> lines;
		auto add = [](const char *line, void *user) {
			static_cast<std::vector<std::string> *>(user)->push_back(line);
		};
		unsigned count = gk_conf_warn(conf, add, &lines);

		EXPECT_EQ(count, lines.size());
		for (std::string &line : lines)
			line = bare(line);
		return lines;
	}
	std::string printed()
	{
		return captured([this](FILE *to) { gk_conf_print(conf, to); });
	}
	template <class Print> std::string captured(Print print) const
	{
		char *at = nullptr;
		size_t size = 0;
		FILE *to = open_memstream(&at, &size);

		print(to);
		fclose(to);
		std::string text(at, size);
		free(at);
		return bare(text);
	}

	std::filesystem::path folder;
	gk_conf *conf = gk_conf_new();
	gk_error error = {};
	int code = 0;
};

#endif
