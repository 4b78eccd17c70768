/* SPDX-License-Identifier: Apache-2.0 */
/* gantry plugin: what plugins there are, what is in one, and which of them take part. */
#ifndef CLI_PLUGIN_H
#define CLI_PLUGIN_H

#include <glib.h>
#include <json/json.h>
#include <stdbool.h>

#include "../cli.h"

GANTRY_BEGIN

extern const struct cli_command cli_plugin_list, cli_plugin_inspect, cli_plugin_enable,
	cli_plugin_disable;

/* ---- places.c: where plugins and fragments are */

struct places {
	char *conf_dir; /* --conf-dir, else beside the program, else the system's */
	char **dirs; /* of plugins, strongest first: --plugin-dir, $GANTRY_PLUGIN_PATH, default */
};

/* The two options, for a command's table, and what follows from them. conf_dir and dirs are taken
 * over. */
#define PLACES_OPTIONS(conf_dir, dirs)                                                             \
	{"conf-dir", 0, 0, G_OPTION_ARG_FILENAME, conf_dir, "Fragments are in DIR", "DIR"},        \
	{                                                                                          \
		"plugin-dir", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, dirs,                             \
			"Plugins are in DIR (repeatable)", "DIR"                                   \
	}
void places_find(struct places *places, char *conf_dir, char **dirs);
void places_free(struct places *places);
/* A command with the two options and one argument, which act is given; needed: what is said without
 * it. An exit code. */
int places_run(const struct cli_command *self, int argc, char **argv, const char *needed,
	       int (*act)(const struct places *places, const char *plugin));
/* The file of a plugin's name, or of a path; NULL: in none of the directories. g_free(). */
char *places_file(const struct places *places, const char *name);
/* Every NAME for which one of the directories has NAME.so, sorted. g_strfreev(). */
char **places_names(const struct places *places);
/* "storage-mmap" from ".../storage-mmap.so". g_free(). */
char *places_name_of(const char *file);

/* ---- fragments.c: conf.d */

struct fragment {       /* one [plugin ...] section of a file in conf.d */
	char *file;     /* its name in conf.d */
	char *plugin;   /* "frontend-remoting" */
	char *instance; /* "vip", or NULL */
	char *when;     /* its conditions, joined: "role=broker and storageBackend=mmap"; or NULL */
	bool enabled;   /* neither `enabled = no` nor a file that ends in .disabled */
};

/* Every section of every fragment, in order of file; an array that ends with plugin NULL. NULL: the
 * directory cannot be read. */
struct fragment *fragments_read(const char *conf_dir);
void fragments_free(struct fragment *fragments);

/* ---- probe.c: a plugin's own word, taken in a child process */

/* Opens the file and checks its descriptor in a child, which a broken or hostile plugin may crash
 * or hang: it costs that child only. On 0 *ret describes it (json_free() and free(doc.text)):
 * {"name","version","license","summary","abi","offers":[{"kind","name","caps"}],"needs":[...],
 * "keys":[{"key","type","unit","default","min","max","choices","flags","help"}]}.
 * -ENOEXEC: refused, and why says what is wrong with it. */
int probe(const char *file, const char *name, struct json_doc *ret, char *why, size_t why_size);

GANTRY_END
#endif
