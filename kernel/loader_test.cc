/* SPDX-License-Identifier: Apache-2.0 */
/* Names, directories, and what a descriptor is refused for. Files are tried in tests/hostile. */
#include "kernel_test.h"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

const gantry_plugin host = GK_HOST_DESCRIPTOR;

gantry_plugin good()
{
	gantry_plugin plugin = host;
	plugin.name = "filter-x";
	return plugin;
}

std::string verdict(const gantry_plugin *plugin, const gantry_plugin &by = host)
{
	gk_error error = {"accepted"};
	int bad = gk_descriptor_check(plugin, "filter-x", "/dir/filter-x.so", &by, &error);
	EXPECT_EQ(bad ? -ENOEXEC : 0, bad);
	return error.text;
}

std::string verdict(const std::function<void(gantry_plugin &)> &change)
{
	gantry_plugin plugin = good();
	change(plugin);
	return verdict(&plugin);
}

TEST(Descriptor, AGoodOneIsAccepted)
{
	EXPECT_EQ("accepted", verdict([](gantry_plugin &) {}));
}

TEST(Descriptor, EveryRefusalNamesFileFieldAndBothValues)
{
	EXPECT_EQ("plugin /dir/filter-x.so: its entry function returns no descriptor",
		  verdict(nullptr));
	EXPECT_EQ("plugin /dir/filter-x.so: magic is 0x00000001, this gantryd wants 0x47545259",
		  verdict([](gantry_plugin &at) { at.magic = 1; }));
	EXPECT_EQ("plugin /dir/filter-x.so: size is 8, this gantryd wants " +
			  std::to_string(sizeof(gantry_plugin)),
		  verdict([](gantry_plugin &at) { at.size = 8; }));
	EXPECT_NE(std::string::npos, verdict([](gantry_plugin &at) {
					     at.layout = 0x12345678;
				     }).find("layout is 0x12345678, this gantryd wants 0x"));
	EXPECT_EQ(
		"plugin /dir/filter-x.so: name is \"filter-y\", the file's name says \"filter-x\"",
		verdict([](gantry_plugin &at) { at.name = "filter-y"; }));
	EXPECT_EQ("plugin /dir/filter-x.so: name is \"\", the file's name says \"filter-x\"",
		  verdict([](gantry_plugin &at) { at.name = nullptr; }));
}

TEST(Descriptor, InMajorZeroOnlyTheSameMinorFits)
{
	for (int minor : {GANTRY_ABI_MINOR - 1, GANTRY_ABI_MINOR + 1}) {
		EXPECT_EQ("plugin /dir/filter-x.so: abi is 0." + std::to_string(minor) +
				  ", this gantryd has 0." + std::to_string(GANTRY_ABI_MINOR) +
				  " (major 0: only the same minor fits)",
			  verdict([&](gantry_plugin &at) {
				  at.abi_minor = static_cast<uint16_t>(minor);
			  }));
	}
}

TEST(Descriptor, LaterMajorsTakeOlderMinors)
{
	gantry_plugin later = host, plugin = good();
	later.abi_major = plugin.abi_major = 1;
	later.abi_minor = 5;
	plugin.abi_minor = 3;
	EXPECT_EQ("accepted", verdict(&plugin, later));
	plugin.abi_minor = 6;
	EXPECT_EQ("plugin /dir/filter-x.so: abi is 1.6, this gantryd has 1.5",
		  verdict(&plugin, later));
	plugin.abi_major = 2;
	plugin.abi_minor = 0;
	EXPECT_EQ("plugin /dir/filter-x.so: abi is 2.0, this gantryd has 1.5",
		  verdict(&plugin, later));
}

TEST(Descriptor, ListsThatCannotBeTrustedAreRefused)
{
	static const uint32_t short_ops[4] = {8}, good_ops[4] = {16};
	static const gantry_service short_vtable[] = {{GANTRY_FILTER, 0, "X", short_ops}, {}};
	static const gantry_service nameless[] = {{GANTRY_FILTER, 0, nullptr, good_ops}, {}};
	static const gantry_service empty[] = {{GANTRY_FILTER, 0, "X", nullptr}, {}};
	static const gantry_service odd[] = {{77, 0, "X", good_ops}, {}};
	static const gantry_need odd_need[] = {{99, 0, 0, 0, nullptr}, {}};
	static const std::vector<gantry_service> endless(1000, {GANTRY_FILTER, 0, "X", good_ops});
	auto offers = [](const gantry_service *list) {
		return verdict([&](gantry_plugin &at) { at.offers = list; });
	};
	EXPECT_EQ("plugin /dir/filter-x.so: the vtable of its filter service \"X\" has size 8, the "
		  "least is 16",
		  offers(short_vtable));
	EXPECT_EQ("plugin /dir/filter-x.so: offers[0] has no name", offers(nameless));
	EXPECT_EQ("plugin /dir/filter-x.so: offers[0] has no ops", offers(empty));
	EXPECT_EQ("plugin /dir/filter-x.so: offers[0].kind is 77, the last kind is 8", offers(odd));
	EXPECT_EQ("plugin /dir/filter-x.so: offers has more than 256 entries",
		  offers(endless.data()));
	EXPECT_EQ("plugin /dir/filter-x.so: needs[0].kind is 99, the last kind is 8",
		  verdict([](gantry_plugin &at) { at.needs = odd_need; }));
}

TEST(Descriptor, KeysMustPointIntoTheSnapshot)
{
	static gantry_lifecycle life = {};
	life.size = sizeof(life);
	life.conf_size = 16;
	static gantry_conf_item keys[2] = {};
	keys[0].key = "listenPort";
	keys[0].type = GANTRY_CONF_INT;
	auto keys_verdict = [] {
		return verdict([](gantry_plugin &at) {
			at.life = &life;
			at.keys = keys;
		});
	};
	keys[0].offset = 8;
	EXPECT_EQ("accepted", keys_verdict());
	keys[0].offset = 9;
	EXPECT_EQ("plugin /dir/filter-x.so: key listenPort: its field ends at byte 17, conf_size "
		  "is 16",
		  keys_verdict());
	keys[0].offset = UINT32_MAX;
	EXPECT_NE("accepted", keys_verdict());
	keys[0].offset = 0;
	keys[0].type = 42;
	EXPECT_EQ("plugin /dir/filter-x.so: key listenPort: type is 42, the last type is 8",
		  keys_verdict());
	life.size = 4;
	EXPECT_EQ("plugin /dir/filter-x.so: life.size is 4, the least is 16", keys_verdict());
}

TEST(Names, HaveLettersDigitsAndDashesOnly)
{
	for (const char *name : {"storage-mmap", "a", "x-1"})
		EXPECT_TRUE(gk_plugin_name_is_good(name)) << name;
	for (const char *name :
	     {"", ".", "..", "../x", "a/b", "A", "a_b", "a.so", "a b", "\xc3\xb6"})
		EXPECT_FALSE(gk_plugin_name_is_good(name)) << name;
}

class Loader : public testing::Test
{
      protected:
	Loader() : dir(testing::TempDir() + "loader-" + std::to_string(getpid()))
	{
		mkdir(dir.c_str(), 0755);
		dirs[0] = const_cast<char *>(dir.c_str());
		options.plugin_dirs = dirs;
		unsetenv("GANTRY_PLUGIN_PATH");
	}
	~Loader() override
	{
		gk_kernel_free(kernel);
		unlink((dir + "/filter-junk.so").c_str());
		rmdir(dir.c_str());
		unsetenv("GANTRY_PLUGIN_PATH");
	}
	std::string open(const char *name)
	{
		gk_error error = {"opened"};
		const gk_module *module = nullptr;
		if (!kernel)
			kernel = gk_kernel_new(gk_conf_new(), &options);
		int bad = gk_module_open(kernel, name, &module, &error);
		EXPECT_EQ(bad != 0, module == nullptr);
		return error.text;
	}
	std::string directories()
	{
		if (!kernel)
			kernel = gk_kernel_new(gk_conf_new(), &options);
		char **all = gk_plugin_dirs(kernel);
		char *text = g_strjoinv(" ", all);
		std::string result = text;
		g_free(text);
		g_strfreev(all);
		return result;
	}

	std::string dir;
	char *dirs[2] = {};
	gk_options options = {};
	gk_kernel *kernel = nullptr;
};

TEST_F(Loader, LooksInTheGivenDirectoriesOnly)
{
	EXPECT_EQ("plugin filter-none: there is no filter-none.so in " + dir, open("filter-none"));
	EXPECT_EQ("plugin ../x: a plugin's name has only the characters a-z, 0-9 and -",
		  open("../x"));
}

#ifndef GANTRY_STATIC
TEST_F(Loader, TellsTheSystemsOwnReason)
{
	std::ofstream(dir + "/filter-junk.so")
		<< "not an ELF file, but long enough to be read as one"
		   "........................................";
	std::string text = open("filter-junk");
	EXPECT_EQ(0u, text.find("plugin " + dir + "/filter-junk.so: cannot be loaded: ")) << text;
	EXPECT_NE(std::string::npos, text.find("invalid ELF header")) << text;
}
#endif

TEST_F(Loader, TheCommandLineIsStrongerThanTheEnvironmentThanTheDefault)
{
	setenv("GANTRY_PLUGIN_PATH", "/a:/b", 1);
	EXPECT_EQ(dir, directories());
	gk_kernel_free(kernel);
	kernel = nullptr;
	options.plugin_dirs = nullptr;
	options.default_plugin_dir = "/default";
	EXPECT_EQ("/a /b", directories());
	unsetenv("GANTRY_PLUGIN_PATH");
	EXPECT_EQ("/default", directories());
	const char *const listed[] = {"/c", "/d"};
	kernel->settings.plugin_dirs = {listed, 2, 0};
	EXPECT_EQ("/c /d", directories());
}

TEST_F(Loader, ABuiltinNeedsNoFileAndOpensOnce)
{
	static const gantry_plugin plugin = good();
	static const gk_static_plugin builtins[] = {
		{"filter-x", [] { return &plugin; }},
		{"filter-y", [] { return &plugin; }},
		{nullptr, nullptr},
	};
	options.builtins = builtins;
	EXPECT_EQ("opened", open("filter-x"));
	EXPECT_EQ("opened", open("filter-x"));
	EXPECT_EQ(1u, kernel->modules->len);
	EXPECT_EQ("plugin filter-y (built in): name is \"filter-x\", the file's name says "
		  "\"filter-y\"",
		  open("filter-y"));
	std::ofstream(dir + "/filter-junk.so") << "";
	char **names = gk_plugin_names(kernel);
	char *text = g_strjoinv(" ", names);
	EXPECT_STREQ("filter-junk filter-x filter-y", text);
	g_free(text);
	g_strfreev(names);
}

} // namespace
