/* SPDX-License-Identifier: Apache-2.0 */
/* gantryd: arguments, paths, exit codes. Everything else is libgantry. */
#include "kernel.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef GANTRY_STATIC
extern const struct gk_static_plugin gk_static_plugins[]; /* made by CMake */
#else
static const struct gk_static_plugin *const gk_static_plugins = NULL;
#endif

struct arguments {
	char *conf, *namesrv, *conf_dir;
	char **brokers, **namesrvs, **plugin_dirs, **rest;
	gboolean check, print, list, keys, version;
};

static const char summary[] =
	"Commands:\n"
	"  broker    run a broker, in place of mqbroker\n"
	"  namesrv   run a name server, in place of mqnamesrv\n"
	"  all       run both in one process: at least one of each; a broker whose file\n"
	"            names no name server uses the ones beside it";

static const char description[] =
	"Signals:\n"
	"  SIGTERM, SIGINT   finish what is under way and stop; a second one hurries\n"
	"  SIGHUP            read the files again\n"
	"\n"
	"Exit codes:\n"
	"  0 stopped as asked   2 wrong arguments        3 wrong configuration\n"
	"  4 plugin refused     5 start failed           6 stop cut short\n";

/* ---- arguments */

static void parse(int *argc, char ***argv, struct arguments *ret)
{
	const GOptionEntry entries[] = {
		{"configFile", 'c', 0, G_OPTION_ARG_FILENAME, &ret->conf,
		 "The role's .properties file", "FILE"},
		{"namesrvAddr", 'n', 0, G_OPTION_ARG_STRING, &ret->namesrv,
		 "Name servers for the broker: host:port;host:port", "ADDRESSES"},
		{"broker", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &ret->brokers,
		 "With all: a broker's .properties file; may be repeated", "FILE"},
		{"namesrv", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &ret->namesrvs,
		 "With all: a name server's .properties file; may be repeated", "FILE"},
		{"conf-dir", 0, 0, G_OPTION_ARG_FILENAME, &ret->conf_dir,
		 "Fragments (*.conf), instead of the installed conf.d", "DIR"},
		{"plugin-dir", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &ret->plugin_dirs,
		 "Where plugins are; may be repeated", "DIR"},
		{"check", 0, 0, G_OPTION_ARG_NONE, &ret->check,
		 "Look for mistakes in files and plugins, start nothing", NULL},
		{"print-config", 'p', 0, G_OPTION_ARG_NONE, &ret->print,
		 "Print every value in force and where it comes from", NULL},
		{"printImportantConfig", 'm', 0, G_OPTION_ARG_NONE, &ret->print,
		 "The same, as mqbroker spells it", NULL},
		{"list-plugins", 0, 0, G_OPTION_ARG_NONE, &ret->list,
		 "List the plugins that can be loaded", NULL},
		{"print-keys", 0, 0, G_OPTION_ARG_NONE, &ret->keys,
		 "Print every key that they and the kernel know, as a commented sample", NULL},
		{"version", 0, 0, G_OPTION_ARG_NONE, &ret->version, "Print the version", NULL},
		{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &ret->rest, NULL, NULL},
		{.long_name = NULL},
	};
	GOptionContext *context = g_option_context_new("COMMAND");
	GError *error = NULL;
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context, summary);
	g_option_context_set_description(context, description);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		fprintf(stderr, "gantryd: %s (see gantryd --help)\n", error->message);
		exit(GK_EXIT_USAGE);
	}
	g_option_context_free(context);
}

static void arguments_free(struct arguments *arguments)
{
	g_free(arguments->conf);
	g_free(arguments->namesrv);
	g_free(arguments->conf_dir);
	g_strfreev(arguments->brokers);
	g_strfreev(arguments->namesrvs);
	g_strfreev(arguments->plugin_dirs);
	g_strfreev(arguments->rest);
}

/* What looks at plugins alone needs no role. */
static int is_listing(const struct arguments *arguments)
{
	return arguments->list || arguments->keys;
}

/* What does not go together; NULL if all is well. */
static const char *wrong(const struct arguments *arguments)
{
	const char *command = arguments->rest ? arguments->rest[0] : NULL;
	if (!command)
		return is_listing(arguments) ? NULL
					     : "a command is missing: broker, namesrv or all";
	int all = strcmp(command, "all") == 0;
	if (!all && strcmp(command, "broker") != 0 && strcmp(command, "namesrv") != 0)
		return "there are the commands broker, namesrv and all";
	if (arguments->rest[1] && !strchr(arguments->rest[1], '='))
		return "there is one command only";
	if (all && arguments->conf)
		return "with all, files are given with --broker and --namesrv";
	if (!all && (arguments->brokers || arguments->namesrvs))
		return "--broker and --namesrv go with all; -c names the file here";
	return NULL;
}

/* ---- paths */

/* "../NAME" beside the program's directory if it exists, so that a build tree and a relocated
 * installation find their own; else NULL. Free with g_free. */
static char *beside(const char *name)
{
	char program[4096];
	ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (size < 0)
		return NULL;
	program[size] = 0;
	char *bin = g_path_get_dirname(program), *prefix = g_path_get_dirname(bin);
	char *path = g_build_filename(prefix, name, NULL);
	g_free(bin);
	g_free(prefix);
	if (!g_file_test(path, G_FILE_TEST_IS_DIR))
		g_clear_pointer(&path, g_free);
	return path;
}

static char *find_conf_dir(const struct arguments *arguments)
{
	if (arguments->conf_dir)
		return g_strdup(arguments->conf_dir);
	char *own = beside("etc/gantry/conf.d");
	return own ? own : g_strdup(GANTRY_FULL_SYSCONFDIR "/gantry/conf.d");
}

static char *find_plugin_dir(void)
{
	char *own = beside("lib/gantry");
	if (!own)
		own = beside(GANTRY_LIBDIR "/gantry");
	return own ? own : g_strdup(GANTRY_FULL_LIBDIR "/gantry");
}

/* ---- configuration */

static int complain(const struct gk_error *error)
{
	gantry_log(NULL, ERROR, "%s", error->text);
	return GK_EXIT_CONFIG;
}

static int add_role(struct gk_conf *conf, const char *kind, const char *file, const char *namesrv)
{
	struct gk_error error;
	const char *role;
	if (gk_conf_add_role(conf, kind, &role) < 0)
		return GK_EXIT_CONFIG;
	if (file && gk_conf_read_properties(conf, role, file, &error) < 0)
		return complain(&error);
	if (namesrv && strcmp(kind, "broker") == 0)
		gk_conf_override(conf, role, "namesrvAddr", namesrv, "-n");
	return 0;
}

static int add_roles(struct gk_conf *conf, const char *kind, char **files, const char *namesrv)
{
	int bad = files ? 0 : add_role(conf, kind, NULL, namesrv);
	for (; files && *files && !bad; files++)
		bad = add_role(conf, kind, *files, namesrv);
	return bad;
}

/* The first value that an instance of this kind of role, whose plugin begins so, has for a key. */
static const char *value_of(const struct gk_conf *conf, const struct gk_chosen *chosen,
			    const char *kind, const char *plugin, const char *key)
{
	if (strcmp(chosen->kind, kind) != 0 || !g_str_has_prefix(chosen->plugin, plugin))
		return NULL;
	return gk_conf_text(conf, chosen, key);
}

/* Brokers that know of no name server use the ones of this process. */
static void join_namesrvs(struct gk_conf *conf)
{
	GString *namesrvs = g_string_new(NULL);
	for (unsigned i = 0; i < gk_conf_chosen_count(conf); i++) {
		const struct gk_chosen *chosen = gk_conf_chosen(conf, i);
		const char *port = value_of(conf, chosen, "namesrv", "frontend-", "listenPort");
		const char *host = value_of(conf, chosen, "namesrv", "frontend-", "bindAddress");
		if (!host || !*host || strcmp(host, "0.0.0.0") == 0 || strchr(host, ':'))
			host = "127.0.0.1";
		if (port && strcmp(port, "0") != 0)
			g_string_append_printf(namesrvs, "%s%s:%s", namesrvs->len ? ";" : "", host,
					       port);
	}
	for (unsigned i = 0; i < gk_conf_chosen_count(conf) && namesrvs->len; i++) {
		const struct gk_chosen *chosen = gk_conf_chosen(conf, i);
		const char *known = gk_conf_text(conf, chosen, "namesrvAddr");
		if (strcmp(chosen->kind, "broker") == 0 && (!known || !*known))
			gk_conf_override(conf, chosen->role, "namesrvAddr", namesrvs->str,
					 "the name server of this process");
	}
	g_string_free(namesrvs, TRUE);
}

static int read_roles(struct gk_conf *conf, const struct arguments *arguments)
{
	const char *command = arguments->rest[0];
	if (strcmp(command, "all") != 0)
		return add_role(conf, command, arguments->conf, arguments->namesrv);
	int bad = add_roles(conf, "namesrv", arguments->namesrvs, NULL);
	return bad ? bad : add_roles(conf, "broker", arguments->brokers, arguments->namesrv);
}

/* mqbroker drops what it does not know as well; a script that says it must go on working. */
static void say_ignored(char **rest)
{
	for (; *rest; rest++)
		gantry_log(NULL, WARNING, "%s: ignored on the command line, as by mqbroker", *rest);
}

static int configure(struct gk_conf *conf, const struct arguments *arguments)
{
	struct gk_error error;
	char *dir = find_conf_dir(arguments);
	int bad = is_listing(arguments) ? 0 : read_roles(conf, arguments);
	if (!bad && gk_conf_read_directory(conf, dir, &error) < 0)
		bad = complain(&error);
	g_free(dir);
	if (bad || is_listing(arguments))
		return bad;
	say_ignored(arguments->rest + 1);
	if (gk_conf_choose(conf, &error) < 0)
		return complain(&error);
	join_namesrvs(conf);
	return 0;
}

/* ---- running */

static enum gk_exit run(struct gk_kernel *kernel)
{
	enum gk_exit code = gk_kernel_up(kernel);
	if (code == GK_EXIT_CLEAN && kernel->loops) {
		gk_kernel_wait(kernel);
		code = gk_kernel_down(kernel);
	}
	if (kernel->abandoned) {
		gantry_log(NULL, ERROR, "stopped without waiting for a plugin that does not end");
		_exit(GK_EXIT_FORCED); /* its threads may be at work: nothing can be freed */
	}
	return code;
}

/* As many descriptors as the system lets this process have, as a Java VM does (MaxFDLimit). */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static enum gk_exit act(const struct arguments *arguments, struct gk_conf *conf)
{
	char *plugin_dir = find_plugin_dir();
	const struct gk_options options = {.plugin_dirs = arguments->plugin_dirs,
					   .default_plugin_dir = plugin_dir,
					   .builtins = gk_static_plugins,
					   .signals = 1};
	struct gk_kernel *kernel = gk_kernel_new(conf, &options);
	enum gk_exit code = arguments->list   ? gk_kernel_list_plugins(kernel, stdout)
			    : arguments->keys ? gk_kernel_print_keys(kernel, stdout)
					      : gk_kernel_prepare(kernel);
	if (is_listing(arguments))
		; /* it is printed */
	else if (arguments->print)
		gk_conf_print(kernel->conf, stdout);
	else if (arguments->check && code == GK_EXIT_CLEAN)
		puts("no mistakes found");
	else if (!arguments->check && code == GK_EXIT_CLEAN) {
		raise_descriptors();
		code = run(kernel);
	}
	gk_kernel_free(kernel);
	g_free(plugin_dir);
	return code;
}

/* libuv looks up names on half of its threads, of which it has four unless told: two names that
 * nobody answers would keep all others waiting for half a minute. Threads start with the first
 * look-up. */
static void widen_lookups(void)
{
	setenv("UV_THREADPOOL_SIZE", "16", 0);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	enum gk_exit code = GK_EXIT_USAGE;
	gk_log_setup(GANTRY_LOG_INFO, GK_LOG_TEXT);
	widen_lookups();
	parse(&argc, &argv, &arguments);
	const char *why = arguments.version ? NULL : wrong(&arguments);
	if (why) {
		fprintf(stderr, "gantryd: %s (see gantryd --help)\n", why);
	} else if (arguments.version) {
		puts("gantryd " GANTRY_VERSION);
		code = GK_EXIT_CLEAN;
	} else {
		struct gk_conf *conf = gk_conf_new();
		code = (enum gk_exit)configure(conf, &arguments);
		if (code == GK_EXIT_CLEAN)
			code = act(&arguments, conf); /* frees conf */
		else
			gk_conf_free(conf);
	}
	arguments_free(&arguments);
	return code;
}
