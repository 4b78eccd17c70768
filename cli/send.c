/* SPDX-License-Identifier: Apache-2.0 */
/* gantry send: a message, or many, to a topic. */
#include <errno.h>
#include <json/json.h>
#include <message/id.h>
#include <message/properties.h>
#include <message/record.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "cli.h"
#include "route.h"

enum { BODY_MAX = 4 * 1024 * 1024, CONNECT_MS = 3000 };

static const char help[] =
	"The body is BODY, or the file given with --file, or what standard input holds.\n\n"
	"Example:\n"
	"  gantry send -n 127.0.0.1:9876 -t TopicTest --tag TagA 'Hello Gantry'";

struct send_options {
	char *namesrv, *topic, *group, *tag, *key, *file, *broker;
	char **properties;
	int64_t count, queue;
};

struct sender {
	const struct send_options *options;
	struct route *route;
	struct link **links; /* one to each broker of the route, opened when needed */
	struct message_unique ids;
	GByteArray *properties; /* all but UNIQ_KEY */
	char *body;
	size_t body_size;
};

static int parse(const struct cli_command *self, struct send_options *o, int *argc, char **argv)
{
	const GOptionEntry entries[] = {
		{"namesrv", 'n', 0, G_OPTION_ARG_STRING, &o->namesrv, ROUTE_NAMESRV_HELP, "LIST"},
		{"topic", 't', 0, G_OPTION_ARG_STRING, &o->topic, "Topic (required)", "TOPIC"},
		{"group", 'g', 0, G_OPTION_ARG_STRING, &o->group, "Producer group (gantry_send)",
		 "GROUP"},
		{"file", 'f', 0, G_OPTION_ARG_FILENAME, &o->file, "Take the body from FILE",
		 "FILE"},
		{"tag", 0, 0, G_OPTION_ARG_STRING, &o->tag, "The message's tag", "TAG"},
		{"key", 'k', 0, G_OPTION_ARG_STRING, &o->key,
		 "Keys to find it by, with blanks between", "KEYS"},
		{"property", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &o->properties,
		 "A property of it (repeatable)", "NAME=VALUE"},
		{"count", 'c', 0, G_OPTION_ARG_INT64, &o->count, "Send it N times (1)", "N"},
		{"queue", 'q', 0, G_OPTION_ARG_INT64, &o->queue,
		 "Only to this queue (default: all in turn)", "ID"},
		{"broker", 'b', 0, G_OPTION_ARG_STRING, &o->broker,
		 "Only to the queues of the broker of this name", "NAME"},
		{NULL},
	};
	return cli_options(self, entries, argc, argv);
}

/* ---- what is sent */

static bool add_property(GByteArray *to, const char *key, size_t key_size, const char *value)
{
	char pair[MESSAGE_PROPERTIES_MAX];
	size_t size = message_property_write(pair, sizeof(pair), (struct gantry_str){key, key_size},
					     (struct gantry_str){value, strlen(value)});
	if (size == 0 || to->len + size > sizeof(pair))
		return false;
	g_byte_array_append(to, (const guint8 *)pair, (guint)size);
	return true;
}

static bool is_plain(const char *text)
{
	return !strpbrk(text, "\001\002");
}

static int add_properties(struct sender *sender)
{
	const struct send_options *o = sender->options;
	bool fits = add_property(sender->properties, MESSAGE_WAIT, strlen(MESSAGE_WAIT), "true");
	for (char **p = o->properties; p && *p && fits; p++) {
		const char *sign = strchr(*p, '=');
		if (!sign || sign == *p || !sign[1] || !is_plain(*p))
			return cli_usage("--property %s: must be NAME=VALUE", *p);
		fits = add_property(sender->properties, *p, (size_t)(sign - *p), sign + 1);
	}
	if ((o->tag && !is_plain(o->tag)) || (o->key && !is_plain(o->key)))
		return cli_usage("--tag and --key take no control characters");
	if (fits && o->tag && *o->tag)
		fits = add_property(sender->properties, MESSAGE_TAGS, strlen(MESSAGE_TAGS), o->tag);
	if (fits && o->key && *o->key)
		fits = add_property(sender->properties, MESSAGE_KEYS, strlen(MESSAGE_KEYS), o->key);
	return fits ? 0 : cli_usage("the properties are longer than a message may have");
}

static int read_body(FILE *from, const char *name, struct sender *sender)
{
	size_t room = BODY_MAX + 1;
	sender->body = g_malloc(room);
	sender->body_size = fread(sender->body, 1, room, from);
	if (ferror(from)) {
		cli_error("%s: %s", name, g_strerror(errno));
		return CLI_FAILED;
	}
	if (sender->body_size == room) {
		cli_error("%s: longer than %d bytes", name, BODY_MAX);
		return CLI_FAILED;
	}
	return 0;
}

static int find_body(struct sender *sender, int argc, char **argv)
{
	const char *file = sender->options->file;
	if (argc > 2 || (file && argc > 1))
		return cli_usage("there is one body: %s is too much", argv[argc - 1]);
	if (argc == 2) {
		sender->body = g_strdup(argv[1]);
		sender->body_size = strlen(argv[1]);
	} else if (file) {
		FILE *from = fopen(file, "r");
		if (!from) {
			cli_error("%s: %s", file, g_strerror(errno));
			return CLI_FAILED;
		}
		int failed = read_body(from, file, sender);
		fclose(from);
		if (failed)
			return failed;
	} else {
		if (isatty(STDIN_FILENO))
			fputs("gantry: the body, ended by Ctrl-D:\n", stderr);
		int failed = read_body(stdin, "standard input", sender);
		if (failed)
			return failed;
	}
	if (sender->body_size == 0)
		return cli_usage("the body is empty, and RocketMQ has no empty messages");
	return 0;
}

/* ---- where it goes */

/* Keeps the queues that --queue and --broker leave. */
static int choose_queues(struct sender *sender)
{
	const struct send_options *o = sender->options;
	struct route *route = sender->route;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < route->write_count; i++) {
		struct route_queue *queue = &route->writes[i];
		if (o->queue >= 0 && queue->queue != o->queue)
			continue;
		if (o->broker && strcmp(route->brokers[queue->broker].name, o->broker))
			continue;
		route->writes[kept++] = *queue;
	}
	if (kept == 0) {
		g_autofree char *queue =
			o->queue < 0 ? g_strdup("")
				     : g_strdup_printf(" with id %lld", (long long)o->queue);
		cli_error("topic %s has no queue%s to write to%s%s; its route has %u of them on "
			  "%u brokers",
			  o->topic, queue, o->broker ? " on broker " : "",
			  o->broker ? o->broker : "", route->write_count, route->broker_count);
		return CLI_REFUSED;
	}
	route->write_count = kept;
	return 0;
}

static int connect_broker(struct sender *sender, uint32_t broker)
{
	const char *address = sender->route->brokers[broker].master;
	if (sender->links[broker])
		return 0;
	int failed = link_open(address, CONNECT_MS, &sender->links[broker]);
	if (failed) {
		cli_error("broker %s at %s: %s", sender->route->brokers[broker].name, address,
			  g_strerror(-failed));
		return CLI_UNREACHABLE;
	}
	return 0;
}

/* ---- sending */

static const char *status_name(int32_t code)
{
	switch (code) {
	case 0:
		return "SEND_OK";
	case ASK_FLUSH_DISK_TIMEOUT:
		return "FLUSH_DISK_TIMEOUT";
	case ASK_FLUSH_SLAVE_TIMEOUT:
		return "FLUSH_SLAVE_TIMEOUT";
	default:
		return "SLAVE_NOT_AVAILABLE";
	}
}

static void print_sent(const struct sender *sender, const struct ask_sent *sent, const char *msg_id,
		       const char *broker)
{
	enum { LINE_MAX_SIZE = 4096 };
	struct json_writer w;
	char *text;
	size_t size;
	if (!cli_json()) {
		printf("%s msgId=%s broker=%s queue=%d offset=%lld\n", status_name(sent->status),
		       msg_id, broker, sent->queue, (long long)sent->offset);
		return;
	}
	json_writer_init(&w, LINE_MAX_SIZE, 0);
	json_open_object(&w);
	json_member_string(&w, "status", status_name(sent->status));
	json_member_string(&w, "msgId", msg_id);
	json_member_string(&w, "offsetMsgId", sent->msg_id);
	json_member_string(&w, "topic", sender->options->topic);
	json_member_string(&w, "broker", broker);
	json_member_int(&w, "queue", sent->queue);
	json_member_int(&w, "offset", sent->offset);
	json_close_object(&w);
	if (json_writer_take(&w, &text, &size) == 0) {
		puts(text);
		free(text);
	}
}

static int send_one(struct sender *sender, const struct route_queue *to)
{
	const struct route *route = sender->route;
	const char *broker = route->brokers[to->broker].name;
	char id[MESSAGE_ID_MAX + 1] = {0};
	struct ask_sent sent;
	int failed = connect_broker(sender, to->broker);
	if (failed)
		return failed;
	message_unique_next(&sender->ids, cli_now_ms(), id);
	guint before = sender->properties->len;
	if (!add_property(sender->properties, MESSAGE_UNIQ_KEY, strlen(MESSAGE_UNIQ_KEY), id))
		return cli_usage("the properties are longer than a message may have");
	struct ask_send message = {
		.group = sender->options->group ? sender->options->group : "gantry_send",
		.topic = sender->options->topic,
		.queue = to->queue,
		.queue_count = ROUTE_NEW_QUEUES,
		.properties = {(const char *)sender->properties->data, sender->properties->len},
		.body = {sender->body, sender->body_size},
	};
	failed = ask_send(sender->links[to->broker], &message, &sent);
	g_byte_array_set_size(sender->properties, before);
	if (failed) {
		cli_error("%s", ask_why());
		return ask_exit(failed);
	}
	cli_progress_end();
	print_sent(sender, &sent, id, broker);
	return 0;
}

static int send_all(struct sender *sender)
{
	const struct route *route = sender->route;
	int64_t count = sender->options->count;
	struct gantry_address local;
	int failed = connect_broker(sender, route->writes[0].broker);
	if (failed)
		return failed;
	link_local(sender->links[route->writes[0].broker], &local);
	message_unique_init(&sender->ids, &local, (uint32_t)getpid(), g_random_int());
	for (int64_t i = 0; i < count; i++) {
		failed = send_one(sender, &route->writes[i % route->write_count]);
		if (failed)
			return failed;
		cli_progress("%lld of %lld sent", (long long)i + 1, (long long)count);
		if (cli_interrupted() && i + 1 < count)
			return CLI_FAILED;
	}
	return CLI_DONE;
}

static int run_sender(struct sender *sender, int argc, char **argv)
{
	const struct send_options *o = sender->options;
	if (!o->topic || !*o->topic)
		return cli_usage("-t TOPIC is missing");
	int failed = cli_range("--count", o->count, 1, INT64_C(1000000000));
	if (!failed && o->queue != -1)
		failed = cli_range("--queue", o->queue, 0, INT32_MAX);
	if (!failed)
		failed = add_properties(sender);
	if (!failed)
		failed = find_body(sender, argc, argv);
	if (!failed)
		failed = route_find(o->namesrv, o->topic, true, &sender->route);
	if (!failed)
		failed = choose_queues(sender);
	if (failed)
		return failed;
	sender->links = g_new0(struct link *, sender->route->broker_count);
	cli_catch_interrupts();
	failed = send_all(sender);
	cli_progress_end();
	return failed;
}

static void free_sender(struct sender *sender)
{
	for (uint32_t i = 0; sender->links && i < sender->route->broker_count; i++)
		link_close(sender->links[i]);
	g_free(sender->links);
	route_free(sender->route);
	g_byte_array_unref(sender->properties);
	g_free(sender->body);
}

static void free_options(struct send_options *o)
{
	g_free(o->namesrv);
	g_free(o->topic);
	g_free(o->group);
	g_free(o->tag);
	g_free(o->key);
	g_free(o->file);
	g_free(o->broker);
	g_strfreev(o->properties);
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct send_options options = {.count = 1, .queue = -1};
	struct sender sender = {.options = &options, .properties = g_byte_array_new()};
	int exit_code = parse(self, &options, &argc, argv);
	if (!exit_code)
		exit_code = run_sender(&sender, argc, argv);
	free_sender(&sender);
	free_options(&options);
	return exit_code;
}

const struct cli_command cli_send = {
	.name = "send",
	.arguments = "[BODY]",
	.summary = "Sends messages to a topic",
	.help = help,
	.run = run,
};
