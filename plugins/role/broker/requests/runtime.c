/* SPDX-License-Identifier: Apache-2.0 */
/* GET_BROKER_RUNTIME_INFO: the keys of RocketMQ 5.5.0, as its AdminBrokerProcessor and
 * StoreStatsService name and format them. Thread pools, which Gantry has none of, show as empty
 * with RocketMQ's default capacity. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "delay/delay.h"
#include "requests/report.h"
#include "stats/stats.h"
#include "store/folders.h"
#include "store/store.h"

static void put_text(struct json_writer *writer, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put_text(struct json_writer *writer, const char *key, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_member_string(writer, key, text);
}

static void put_number(struct json_writer *writer, const char *key, int64_t value)
{
	put_text(writer, key, "%" PRId64, value);
}

/* MixAll.humanReadableByteCount, with powers of 1024. */
static void describe_bytes(uint64_t bytes, char *to, size_t size)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(to, size, "%" PRIu64 " B", bytes);
		return;
	}
	while (value >= 1024 && unit + 2 < sizeof(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(to, size, "%.1f %ciB", value, units[unit]);
}

/* ---- times and counts */

static void write_life(struct report *report, struct json_writer *writer)
{
	const struct broker *broker = report->broker;
	int64_t ms = broker_wall_ms() - broker->started_ms;

	/* RocketMQ's isSpecialServiceRunning(): what only a master does */
	json_member_string(writer, "brokerActive", broker_is_slave(broker) ? "false" : "true");
	json_member_string(writer, "brokerVersionDesc", BROKER_VERSION_NAME);
	put_number(writer, "bootTimestamp", broker->started_ms);
	put_text(writer, "runtime",
		 "[ %" PRId64 " days, %" PRId64 " hours, %" PRId64 " minutes, %" PRId64
		 " seconds ]",
		 ms / 86400000, ms / 3600000 % 24, ms / 60000 % 60, ms / 1000 % 60);
	put_number(writer, "startAcceptSendRequestTimeStamp",
		   broker->conf->startAcceptSendRequestTimeStamp);
}

static void write_buckets(struct json_writer *writer, const struct stats_totals *totals)
{
	static const char *const names[STATS_BUCKETS] = {
		"<=0ms", "0~10ms", "10~50ms", "50~100ms", "100~200ms", "200~500ms", "500ms~1s",
		"1~2s",  "2~3s",   "3~4s",    "4~5s",     "5~10s",     "10s~",
	};
	char text[512];
	size_t used = 0;

	for (int i = 0; i < STATS_BUCKETS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "[%s]:%" PRIu64 " ",
					 names[i], totals->buckets[i]);
	json_member_string(writer, "putMessageDistributeTime", text);
}

/* RocketMQ's findPutMessageEntireTimePX: within the bucket as if evenly spread. */
static double latency(const struct stats_totals *totals, double part)
{
	static const double ends[STATS_BUCKETS] = {1,    10,   50,   100,  200,   500,  1000,
						   2000, 3000, 4000, 5000, 10000, 15000};
	uint64_t all = 0, before = 0;
	double wanted;

	for (int i = 0; i < STATS_BUCKETS; i++)
		all += totals->buckets[i];
	wanted = (double)all * part;
	for (int i = 0; all && i < STATS_BUCKETS; i++) {
		double from = i ? ends[i - 1] : 0;

		if (totals->buckets[i] && (double)(before + totals->buckets[i]) >= wanted)
			return from + (ends[i] - from) * (wanted - (double)before) /
					      (double)totals->buckets[i];
		before += totals->buckets[i];
	}
	return 0;
}

static void write_counts(struct report *report, struct json_writer *writer)
{
	struct stats *stats = report->broker->stats;
	struct stats_totals totals;
	struct stats_days days;
	uint64_t put;

	stats_totals(stats, &totals);
	stats_days(stats, &days);
	put = totals.put ? totals.put : 1; /* as RocketMQ shows it */
	put_number(writer, "putMessageTimesTotal", (int64_t)put);
	put_number(writer, "putMessageFailedTimes", (int64_t)totals.put_failed);
	put_number(writer, "putMessageSizeTotal", (int64_t)totals.put_bytes);
	put_text(writer, "putMessageAverageSize", "%.16g", (double)totals.put_bytes / (double)put);
	put_number(writer, "putMessageEntireTimeMax", (int64_t)totals.put_ms_max);
	put_number(writer, "getMessageEntireTimeMax", (int64_t)totals.got_ms_max);
	write_buckets(writer, &totals);
	put_text(writer, "putLatency99", "%.2f", latency(&totals, 0.99));
	put_text(writer, "putLatency999", "%.2f", latency(&totals, 0.999));
	put_number(writer, "msgPutTotalTodayNow", (int64_t)totals.put_user);
	put_number(writer, "msgPutTotalTodayMorning", (int64_t)days.put_today);
	put_number(writer, "msgPutTotalYesterdayMorning", (int64_t)days.put_yesterday);
	put_number(writer, "msgGetTotalTodayNow", (int64_t)totals.got_user);
	put_number(writer, "msgGetTotalTodayMorning", (int64_t)days.got_today);
	put_number(writer, "msgGetTotalYesterdayMorning", (int64_t)days.got_yesterday);
}

static void write_rate(struct json_writer *writer, const char *key, const double rates[3])
{
	put_text(writer, key, "%.10g %.10g %.10g", rates[0], rates[1], rates[2]);
}

static void write_rates(struct report *report, struct json_writer *writer)
{
	struct stats *stats = report->broker->stats;
	double put[3], found[3], missed[3], got[3], all[3];

	stats_rates(stats, STATS_RATE_PUT, put);
	stats_rates(stats, STATS_RATE_FOUND, found);
	stats_rates(stats, STATS_RATE_MISSED, missed);
	stats_rates(stats, STATS_RATE_GOT, got);
	for (int i = 0; i < 3; i++)
		all[i] = found[i] + missed[i];
	write_rate(writer, "putTps", put);
	write_rate(writer, "getFoundTps", found);
	write_rate(writer, "getMissTps", missed);
	write_rate(writer, "getTotalTps", all);
	write_rate(writer, "getTransferredTps", got);
}

/* ---- the store */

static double used_ratio(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs) || !fs.f_blocks)
		return -1;
	return (double)(fs.f_blocks - fs.f_bfree) /
	       (double)(fs.f_blocks - fs.f_bfree + fs.f_bavail);
}

static void write_log_folders(struct report *report, struct json_writer *writer)
{
	const struct broker_conf *conf = report->broker->conf;
	struct folders folders;
	double least = 1e300;

	if (folders_read(conf->storePathCommitLog, NULL, conf->storePathRootDir, &folders))
		return;
	for (uint32_t i = 0; i < folders.count; i++) {
		double ratio = used_ratio(folders.at[i]);
		char key[4200];

		snprintf(key, sizeof(key), "commitLogDiskRatio_%s", folders.at[i]);
		put_text(writer, key, "%.16g", ratio);
		if (ratio < least)
			least = ratio;
	}
	put_text(writer, "commitLogDiskRatio", "%.16g", least);
	folders_free(&folders);
}

static void write_disks(struct report *report, struct json_writer *writer)
{
	const char *root = report->broker->conf->storePathRootDir;
	char all[32], left[32];
	struct statvfs fs;

	write_log_folders(report, writer);
	put_text(writer, "consumeQueueDiskRatio", "%.16g", used_ratio(root));
	if (statvfs(root, &fs))
		return;
	describe_bytes((uint64_t)fs.f_blocks * fs.f_frsize, all, sizeof(all));
	describe_bytes((uint64_t)fs.f_bfree * fs.f_frsize, left, sizeof(left));
	put_text(writer, "commitLogDirCapacity", "Total : %s, Free : %s.", all, left);
}

static void write_store(struct report *report, struct json_writer *writer)
{
	struct store *store = report->broker->store;
	uint64_t first = 0, end = 0;

	store_bounds(store, &first, &end);
	put_number(writer, "commitLogMinOffset", (int64_t)first);
	put_number(writer, "commitLogMaxOffset", (int64_t)end);
	put_number(writer, "dispatchBehindBytes", (int64_t)(end - store_dispatched(store)));
	put_number(writer, "earliestMessageTimeStamp", store_earliest_ms(store));
	json_member_string(writer, "dispatchMaxBuffer", "0");
	json_member_string(writer, "pageCacheLockTimeMills", "0");
	json_member_string(writer, "remainHowManyDataToFlush", "0 B");
	json_member_string(writer, "remainTransientStoreBufferNumbs", "2147483647");
	write_disks(report, writer);
}

/* ---- what Gantry has not */

static void write_pools(struct json_writer *writer)
{
	static const struct {
		const char *name;
		int64_t capacity;
	} pools[] = {
		{"send", 10000},  {"pull", 100000}, {"litePull", 100000},
		{"query", 20000}, {"ack", 100000},
	};
	char key[64];

	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		snprintf(key, sizeof(key), "%sThreadPoolQueueSize", pools[i].name);
		put_number(writer, key, 0);
		snprintf(key, sizeof(key), "%sThreadPoolQueueCapacity", pools[i].name);
		put_number(writer, key, pools[i].capacity);
		snprintf(key, sizeof(key), "%sThreadPoolQueueHeadWaitTimeMills", pools[i].name);
		put_number(writer, key, 0);
	}
	put_number(writer, "EndTransactionQueueSize", 0);
	put_number(writer, "EndTransactionThreadPoolQueueCapacity", 100000);
	put_number(writer, "timerReadBehind", 0);
	put_number(writer, "timerOffsetBehind", 0);
	put_number(writer, "timerCongestNum", 0);
	json_member_string(writer, "timerEnqueueTps", "0.0");
	json_member_string(writer, "timerDequeueTps", "0.0");
}

static int write_runtime(struct report *report, struct json_writer *writer)
{
	json_open_object(writer);
	json_put_key(writer, "table");
	json_open_object(writer);
	write_life(report, writer);
	write_counts(report, writer);
	write_rates(report, writer);
	write_store(report, writer);
	write_pools(writer);
	delay_write_runtime(report->broker, writer);
	json_close_object(writer);
	json_close_object(writer);
	return 0;
}

static int get_runtime_info(struct broker *broker, struct gantry_call *call, struct gantry_op *op)
{
	struct report ask = {.broker = broker};

	return report_run(&ask, call, op, write_runtime);
}

const struct call_row runtime_calls[] = {
	{28, "GET_BROKER_RUNTIME_INFO", get_runtime_info},
	{0, NULL, NULL},
};
