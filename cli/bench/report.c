/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator's results. Times are shown in microseconds. */
#include "report.h"

#include <errno.h>
#include <glib.h>
#include <json/json.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[] = {[LOAD_SEND] = "send",
					 [LOAD_PULL] = "pull",
					 [LOAD_LATENCY] = "latency",
					 [LOAD_ROUTE] = "route"};

static const struct {
	const char *text, *key;
	double percent;
} percentiles[] = {
	{"p50", "p50", 50},      {"p90", "p90", 90},         {"p99", "p99", 99},
	{"p99.9", "p999", 99.9}, {"p99.99", "p9999", 99.99},
};

const char *load_mode_name(enum load_mode mode)
{
	return mode_names[mode];
}

int load_mode_find(const char *name, enum load_mode *ret)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(mode_names); i++)
		if (!strcmp(mode_names[i], name)) {
			*ret = (enum load_mode)i;
			return 0;
		}
	return -EINVAL;
}

static double micros(double ns)
{
	return ns / 1000;
}

static double seconds(const struct load *load)
{
	return (double)load->measured_ns / 1e9;
}

static double per_second(const struct load *load, uint64_t count)
{
	return load->measured_ns ? (double)count / seconds(load) : 0;
}

/* Microseconds of CPU for each message. */
static double each(const struct load *load, double cpu_seconds)
{
	return load->window.messages ? cpu_seconds * 1e6 / (double)load->window.messages : 0;
}

static uint64_t unanswered(const struct load *load)
{
	uint64_t busy = 0;
	if (load->conf->mode == LOAD_LATENCY)
		return load->started - load->delivered - load->refused;
	for (uint32_t i = 0; i < load->wire_count; i++)
		busy += load->wires[i].slot_count - load->wires[i].free_count;
	return busy;
}

static struct usage used(const struct usage *before, const struct usage *after)
{
	struct usage usage = *after;
	usage.user_s -= before->user_s;
	usage.system_s -= before->system_s;
	return usage;
}

/* ---- text */

static void print_usage(const struct load *load, const char *who, const struct usage *cost)
{
	printf("%s: %.3f us of CPU a message (%.3f user, %.3f system), %.1f MiB private, "
	       "%.1f MiB mapped\n",
	       who, each(load, cost->user_s + cost->system_s), each(load, cost->user_s),
	       each(load, cost->system_s), (double)cost->anon_kib / 1024,
	       (double)cost->file_kib / 1024);
}

static void print_conf(const struct load_conf *conf)
{
	printf("%s, topic %s, %u connections x %u in flight, ", load_mode_name(conf->mode),
	       conf->topic, conf->connections, conf->in_flight);
	if (conf->mode == LOAD_PULL)
		printf("%u messages a pull, ", conf->batch);
	else if (conf->mode == LOAD_ROUTE)
		printf("%u topics, ", conf->topics);
	else
		printf("%u bytes, ", conf->size);
	if (conf->rate)
		printf("%llu requests a second\n", (unsigned long long)conf->rate);
	else
		printf("closed loop\n");
}

void report_text(const struct load *load)
{
	const struct load_counts *counts = &load->window;
	const struct histogram *h = &load->latency;
	print_conf(load->conf);
	printf("%.2f s: %llu messages, %.0f a second, %.1f MB/s; %llu refused, %llu unanswered\n",
	       seconds(load), (unsigned long long)counts->messages,
	       per_second(load, counts->messages), per_second(load, counts->bytes) / 1e6,
	       (unsigned long long)load->refused, (unsigned long long)unanswered(load));
	printf("latency in us: min %.1f, mean %.1f", h->count ? micros((double)h->min) : 0,
	       micros(histogram_mean(h)));
	for (unsigned i = 0; i < G_N_ELEMENTS(percentiles); i++)
		printf(", %s %.1f", percentiles[i].text,
		       micros((double)histogram_at(h, percentiles[i].percent)));
	printf(", max %.1f\n", micros((double)h->max));
	struct usage self = used(&load->self_before, &load->self_after);
	print_usage(load, "this generator", &self);
	if (load->conf->pid) {
		struct usage other = used(&load->pid_before, &load->pid_after);
		char who[32];
		snprintf(who, sizeof(who), "process %d", load->conf->pid);
		print_usage(load, who, &other);
	}
}

/* ---- JSON */

static void member_double(struct json_writer *w, const char *name, double value)
{
	json_put_key(w, name);
	json_put_double(w, value);
}

static void put_usage(struct json_writer *w, const struct load *load, const char *name,
		      const struct usage *cost)
{
	json_put_key(w, name);
	json_open_object(w);
	member_double(w, "userSeconds", cost->user_s);
	member_double(w, "systemSeconds", cost->system_s);
	member_double(w, "cpuMicrosPerMessage", each(load, cost->user_s + cost->system_s));
	member_double(w, "userMicrosPerMessage", each(load, cost->user_s));
	member_double(w, "systemMicrosPerMessage", each(load, cost->system_s));
	json_member_int(w, "rssAnonKiB", (int64_t)cost->anon_kib);
	json_member_int(w, "rssFileKiB", (int64_t)cost->file_kib);
	json_close_object(w);
}

static void put_latency(struct json_writer *w, const struct histogram *h)
{
	json_put_key(w, "latencyMicros");
	json_open_object(w);
	member_double(w, "min", h->count ? micros((double)h->min) : 0);
	member_double(w, "mean", micros(histogram_mean(h)));
	for (unsigned i = 0; i < G_N_ELEMENTS(percentiles); i++)
		member_double(w, percentiles[i].key,
			      micros((double)histogram_at(h, percentiles[i].percent)));
	member_double(w, "max", micros((double)h->max));
	json_close_object(w);
}

static void put_conf(struct json_writer *w, const struct load_conf *conf)
{
	json_member_string(w, "mode", load_mode_name(conf->mode));
	json_member_string(w, "topic", conf->topic);
	json_member_int(w, "connections", conf->connections);
	json_member_int(w, "inFlight", conf->in_flight);
	json_member_int(w, "size", conf->size);
	json_member_int(w, "batch", conf->batch);
	json_member_int(w, "rate", (int64_t)conf->rate);
}

int report_json(const struct load *load)
{
	enum { REPORT_MAX = 64 * 1024 };
	const struct load_counts *counts = &load->window;
	struct usage self = used(&load->self_before, &load->self_after);
	struct json_writer w;
	json_writer_init(&w, REPORT_MAX, 0);
	json_open_object(&w);
	put_conf(&w, load->conf);
	member_double(&w, "seconds", seconds(load));
	json_member_int(&w, "requests", (int64_t)counts->answered);
	json_member_int(&w, "messages", (int64_t)counts->messages);
	member_double(&w, "messagesPerSecond", per_second(load, counts->messages));
	member_double(&w, "bytesPerSecond", per_second(load, counts->bytes));
	json_member_int(&w, "refused", (int64_t)load->refused);
	json_member_int(&w, "unanswered", (int64_t)unanswered(load));
	put_latency(&w, &load->latency);
	put_usage(&w, load, "generator", &self);
	if (load->conf->pid) {
		struct usage other = used(&load->pid_before, &load->pid_after);
		put_usage(&w, load, "process", &other);
	}
	json_close_object(&w);
	char *text;
	size_t size;
	int failed = json_writer_take(&w, &text, &size);
	if (failed)
		return failed;
	puts(text);
	free(text);
	return 0;
}

int report_histogram(const struct load *load, const char *path)
{
	FILE *file = fopen(path, "w");
	if (!file)
		return -errno;
	int failed = histogram_write(&load->latency, 1000, file);
	if (fclose(file) && !failed)
		failed = -errno;
	return failed;
}
