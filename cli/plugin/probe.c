/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a plugin what it is, at arm's length: a child opens it, the loader's own check judges it,
 * and what it says comes back as JSON through a pipe. The child has little time and little room;
 * whatever the plugin does in it ends with it. */
#include <errno.h>
#include <fcntl.h>
#include <kernel/loader.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin.h"

#include <gantry/op.h>

enum {
	PROBE_MS = 5000,
	PROBE_CPU_S = 2,
	ANSWER_MAX = 1024 * 1024,
	LIST_MAX = 4096, /* entries of a list that may have no end */
};

/* ---- in the child */

static const char *type_name(unsigned type)
{
	static const char *const names[] = {
		[GANTRY_CONF_BOOL] = "bool", [GANTRY_CONF_INT] = "int",
		[GANTRY_CONF_SIZE] = "size", [GANTRY_CONF_DURATION] = "duration",
		[GANTRY_CONF_ENUM] = "enum", [GANTRY_CONF_STRING] = "string",
		[GANTRY_CONF_PATH] = "path", [GANTRY_CONF_ADDRESS] = "address",
	};
	return type < G_N_ELEMENTS(names) ? names[type] : NULL;
}

static void put_key(struct json_writer *w, const struct gantry_conf_item *key)
{
	json_open_object(w);
	json_member_string(w, "key", key->key);
	json_member_string(w, "type", type_name(key->type));
	json_member_string(w, "unit", key->unit);
	json_member_string(w, "default", key->dflt);
	if (key->min || key->max) {
		json_member_int(w, "min", key->min);
		json_member_int(w, "max", key->max);
	}
	if (key->type == GANTRY_CONF_ENUM && key->choices) {
		json_put_key(w, "choices");
		json_open_array(w);
		for (unsigned i = 0; key->choices[i] && i < LIST_MAX; i++)
			json_put_string(w, key->choices[i]);
		json_close_array(w);
	}
	json_member_bool(w, "required", key->flags & GANTRY_CONF_REQUIRED);
	json_member_bool(w, "list", key->flags & GANTRY_CONF_LIST);
	json_member_bool(w, "reloadable", key->flags & GANTRY_CONF_RELOAD);
	json_member_bool(w, "remote", key->flags & GANTRY_CONF_REMOTE);
	json_member_string(w, "help", key->help);
	json_close_object(w);
}

static void put_lists(struct json_writer *w, const struct gantry_plugin *plugin)
{
	json_put_key(w, "offers");
	json_open_array(w);
	for (unsigned i = 0; plugin->offers && plugin->offers[i].kind && i < LIST_MAX; i++) {
		json_open_object(w);
		json_member_string(w, "kind", gk_kind_name(plugin->offers[i].kind));
		json_member_string(w, "name", plugin->offers[i].name);
		json_member_int(w, "caps", plugin->offers[i].caps);
		json_close_object(w);
	}
	json_close_array(w);
	json_put_key(w, "needs");
	json_open_array(w);
	for (unsigned i = 0; plugin->needs && plugin->needs[i].kind && i < LIST_MAX; i++) {
		json_open_object(w);
		json_member_string(w, "kind", gk_kind_name(plugin->needs[i].kind));
		json_member_string(w, "name", plugin->needs[i].name);
		json_member_int(w, "caps", plugin->needs[i].caps);
		json_member_bool(w, "optional", plugin->needs[i].flags & GANTRY_NEED_OPTIONAL);
		json_close_object(w);
	}
	json_close_array(w);
	json_put_key(w, "keys");
	json_open_array(w);
	for (unsigned i = 0; plugin->keys && plugin->keys[i].key && i < LIST_MAX; i++)
		put_key(w, &plugin->keys[i]);
	json_close_array(w);
}

static void put_plugin(struct json_writer *w, const struct gantry_plugin *plugin)
{
	char abi[32];
	snprintf(abi, sizeof(abi), "%u.%u", plugin->abi_major, plugin->abi_minor);
	json_open_object(w);
	json_member_string(w, "name", plugin->name);
	json_member_string(w, "version", plugin->version);
	json_member_string(w, "license", plugin->license);
	json_member_string(w, "summary", plugin->summary);
	json_member_string(w, "abi", abi);
	put_lists(w, plugin);
	json_close_object(w);
}

#ifdef GANTRY_STATIC
static const struct gk_loader_ops *const loader = NULL; /* all plugins are in gantryd */
#else
static const struct gk_loader_ops *const loader = &gk_loader_ltdl;
#endif

/* 0: plugin is filled in; -ENOEXEC: error says why it cannot be used. */
static int open_plugin(const char *file, const char *name, const struct gantry_plugin **ret,
		       struct gk_error *error)
{
	const struct gantry_plugin host = GK_HOST_DESCRIPTOR;
	const struct gantry_plugin *(*entry)(void);
	void *handle;
	if (!loader) {
		snprintf(error->text, sizeof(error->text), "this build loads no plugins");
		return -ENOEXEC;
	}
	int failed = loader->open(file, &handle, error->text, sizeof(error->text));
	if (failed)
		return failed;
	*(void **)&entry = loader->symbol(handle, "gantry_plugin_entry");
	if (!entry) {
		snprintf(error->text, sizeof(error->text),
			 "%s has no function gantry_plugin_entry: it is no plugin", file);
		return -ENOEXEC;
	}
	*ret = entry();
	return gk_descriptor_check(*ret, name, file, &host, error);
}

static void answer(const char *file, const char *name, int to)
{
	const struct gantry_plugin *plugin;
	struct gk_error error = {""};
	struct json_writer w;
	char *text;
	size_t size, sent = 0;
	json_writer_init(&w, ANSWER_MAX, 0);
	if (open_plugin(file, name, &plugin, &error)) {
		json_open_object(&w);
		json_member_string(&w, "refused", error.text);
		json_close_object(&w);
	} else {
		put_plugin(&w, plugin);
	}
	if (json_writer_take(&w, &text, &size))
		_exit(1);
	while (sent < size) {
		ssize_t n = write(to, text + sent, size - sent);
		if (n <= 0)
			_exit(1);
		sent += (size_t)n;
	}
}

/* Never returns. No atexit handlers, no destructors: they could be the plugin's. */
static void be_the_child(const char *file, const char *name, int to)
{
	const struct rlimit cpu = {PROBE_CPU_S, PROBE_CPU_S + 1}, none = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &none);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	answer(file, name, to);
	_exit(0);
}

/* ---- in the parent */

/* Reads to the end, up to ANSWER_MAX bytes and PROBE_MS. -ETIMEDOUT. */
static int read_answer(int from, char *to, size_t *ret_size)
{
	uint64_t deadline = gantry_clock_ms() + PROBE_MS;
	size_t size = 0;
	while (size < ANSWER_MAX) {
		uint64_t now = gantry_clock_ms();
		struct pollfd p = {.fd = from, .events = POLLIN};
		int ready = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;
		if (ready == 0)
			return -ETIMEDOUT;
		ssize_t n = ready > 0 ? read(from, to + size, ANSWER_MAX - size) : 1;
		if (n <= 0)
			break;
		size += ready > 0 ? (size_t)n : 0;
	}
	*ret_size = size;
	return 0;
}

static int refuse(char *why, size_t why_size, const char *file, const char *what)
{
	snprintf(why, why_size, "%s %s", file, what);
	return -ENOEXEC;
}

/* Makes a document of what the child wrote and how it ended. */
static int judge(const char *file, char *text, size_t size, int state, struct json_doc *ret,
		 char *why, size_t why_size)
{
	struct json_doc doc;
	char what[128];
	if (WIFSIGNALED(state)) {
		snprintf(what, sizeof(what), "was killed while it was looked at: %s",
			 strsignal(WTERMSIG(state)));
		return refuse(why, why_size, file, what);
	}
	if (WEXITSTATUS(state) || json_parse(text, size, 0, NULL, &doc, NULL))
		return refuse(why, why_size, file, "ended the program while it was looked at");
	struct json_value refused = json_get(json_root(&doc), "refused");
	if (json_is(refused, JSON_STRING)) {
		char *sentence = json_strdup(refused);
		snprintf(why, why_size, "%s", sentence ? sentence : "refused");
		free(sentence);
		json_free(&doc);
		return -ENOEXEC;
	}
	*ret = doc;
	return 0;
}

int probe(const char *file, const char *name, struct json_doc *ret, char *why, size_t why_size)
{
	int ends[2], state = 0;
	size_t size = 0;
	char *text = malloc(ANSWER_MAX);
	if (!text || pipe2(ends, O_CLOEXEC)) {
		free(text);
		return refuse(why, why_size, file, "cannot be looked at: out of memory or files");
	}
	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		be_the_child(file, name, ends[1]);
	close(ends[1]);
	int failed = child < 0 ? -errno : read_answer(ends[0], text, &size);
	close(ends[0]);
	if (child > 0) {
		if (failed)
			kill(-child, SIGKILL);
		while (waitpid(child, &state, 0) < 0 && errno == EINTR)
			;
	}
	if (failed == -ETIMEDOUT)
		failed = refuse(why, why_size, file, "hung while it was looked at");
	else if (failed)
		failed = refuse(why, why_size, file, "cannot be looked at: no child process");
	else
		failed = judge(file, text, size, state, ret, why, why_size);
	if (failed)
		free(text);
	return failed;
}
