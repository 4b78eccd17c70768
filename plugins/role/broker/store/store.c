/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the message store. */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/files.h"
#include "store/folders.h"
#include "store/internal.h"

static char *path_in(const char *root, const char *name)
{
	size_t size = strlen(root) + strlen(name) + 2;
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%s/%s", root, name);
	return path;
}

static void make_locks(struct store *store)
{
	pthread_mutex_init(&store->table_lock, NULL);
	pthread_mutex_init(&store->open_lock, NULL);
	pthread_mutex_init(&store->file_lock, NULL);
	pthread_mutex_init(&store->turn_lock, NULL);
	pthread_mutex_init(&store->writer.list_lock, NULL);
	pthread_mutex_init(&store->point.lock, NULL);
}

static void destroy_locks(struct store *store)
{
	pthread_mutex_destroy(&store->point.lock);
	pthread_mutex_destroy(&store->writer.list_lock);
	pthread_mutex_destroy(&store->turn_lock);
	pthread_mutex_destroy(&store->file_lock);
	pthread_mutex_destroy(&store->open_lock);
	pthread_mutex_destroy(&store->table_lock);
}

static int find_services(struct store *store)
{
	store->door = gantry_find(store->inst, GANTRY_REPLICATION, NULL, &store->door_inst);
	store->engine = gantry_find(store->inst, GANTRY_STORAGE, NULL, &store->engine_inst);
	return store->door && store->engine ? 0 : -ENODEV;
}

static int read_conf(struct store *store)
{
	static const char *const names[] = {"consumequeue", "batchconsumequeue",
					    "consumequeue_ext"};
	const struct broker_conf *conf = store->broker->conf;
	int64_t bytes = conf->mappedFileSizeConsumeQueue,
		batch = conf->mapperFileSizeBatchConsumeQueue;

	/* a whole number of entries, rounded up as RocketMQ does */
	store->kind_bytes[KIND_PLAIN] =
		(uint32_t)((bytes + STORE_UNIT - 1) / STORE_UNIT * STORE_UNIT);
	store->kind_bytes[KIND_BATCH] = (uint32_t)((batch + UNIT_MAX - 1) / UNIT_MAX * UNIT_MAX);
	store->kind_bytes[KIND_EXT] = (uint32_t)conf->mappedFileSizeConsumeQueueExt;
	store->root = strdup(conf->storePathRootDir);
	for (uint32_t i = 0; i < QUEUE_KINDS; i++) {
		store->folders[i] = store->root ? path_in(store->root, names[i]) : NULL;
		if (!store->folders[i])
			return -ENOMEM;
	}
	store->ext_there =
		conf->enableConsumeQueueExt || !files_folder_is_empty(store->folders[KIND_EXT]);
	return message_delays_read(conf->messageDelayLevel, &store->delays);
}

static int take_folder(struct store *store)
{
	int fd, status = files_make_folders(store->root);

	if (status) {
		gantry_log(store->inst, ERROR, "cannot make the store's folder %s: %s", store->root,
			   strerror(-status));
		return status;
	}
	fd = files_lock(store->root);
	if (fd < 0) {
		gantry_log(store->inst, ERROR, "cannot lock %s/lock: %s", store->root,
			   fd == -EBUSY ? "another broker uses this store" : strerror(-fd));
		return fd;
	}
	store->lock_fd = fd;
	store->unclean = files_has_abort(store->root);
	return 0;
}

static int replace_checkpoint(struct store *store, const char *path)
{
	int status = unlink(path) ? -errno : 0;

	if (!status)
		status = files_sync_folder(store->root);
	return status ? status
		      : checkpoint_open(&store->checkpoint, store->engine->area, store->engine_inst,
					path);
}

int store_distrust_checkpoint(struct store *store)
{
	int64_t index_ms = store->checkpoint.says.index_ms;
	char *path = path_in(store->root, "checkpoint");
	int status = -ENOMEM;

	if (path) {
		checkpoint_close(&store->checkpoint);
		status = replace_checkpoint(store, path);
	}
	if (!status) {
		store->checkpoint.says.index_ms = index_ms;
		status = checkpoint_write(&store->checkpoint);
	}
	if (status)
		gantry_log(store->inst, ERROR, "cannot begin %s/checkpoint anew: %s", store->root,
			   strerror(-status));
	free(path);
	return status;
}

static int open_checkpoint(struct store *store)
{
	char *path = path_in(store->root, "checkpoint");
	int status = path ? checkpoint_open(&store->checkpoint, store->engine->area,
					    store->engine_inst, path)
			  : -ENOMEM;

	if (status == -EUCLEAN) { /* it only says what need not be read again */
		gantry_log(store->inst, WARNING,
			   "%s is damaged and is begun anew: the log is read again", path);
		status = replace_checkpoint(store, path);
	}
	if (status)
		gantry_log(store->inst, ERROR, "cannot open %s: %s", path ? path : "checkpoint",
			   strerror(-status));
	free(path);
	return status;
}

static int attach_in(struct store *store, const struct folders *folders)
{
	struct gantry_shape shape = {
		.directories = folders->at,
		.directory_count = folders->count,
		.flags = GANTRY_LOG_KEPT(folders->kept),
		.segment_bytes = (uint64_t)store->broker->conf->mappedFileSizeCommitLog,
	};
	struct gantry_bounds bounds;
	int status;

	store->client = (struct gantry_log_client){
		.size = sizeof(store->client), .cut = store_cut, .role = store_role};
	status = store->door->attach(store->door_inst, &shape, &store->client, store);
	if (status) {
		gantry_log(store->inst, ERROR, "cannot open the log in %s: %s", folders->at[0],
			   strerror(-status));
		return status;
	}
	store->attached = true;
	store->door->bounds(store->door_inst, &bounds);
	store->segment_bytes = bounds.segment_bytes;
	return 0;
}

static int attach(struct store *store)
{
	const struct broker_conf *conf = store->broker->conf;
	struct folders folders;
	int status = folders_read(conf->storePathCommitLog, conf->readOnlyCommitLogStorePaths,
				  store->root, &folders);

	if (status) {
		gantry_log(
			store->inst, ERROR,
			status == -E2BIG
				? "storePathCommitLog and readOnlyCommitLogStorePaths: more than "
				  "%d folders"
				: "storePathCommitLog has no folder for new files",
			FOLDERS_MAX);
		return status;
	}
	status = attach_in(store, &folders);
	folders_free(&folders);
	return status;
}

static int open_all(struct store *store)
{
	int status = find_services(store);

	if (!status)
		status = read_conf(store);
	if (!status)
		status = take_folder(store);
	if (!status)
		status = open_checkpoint(store);
	if (!status)
		status = store_index_open(store);
	if (!status)
		status = attach(store);
	if (status)
		return status;
	point_open(store);
	status = files_make_abort(store->root);
	if (!status)
		point_keep(store);
	return status;
}

int store_open(struct broker *broker, struct store **ret, struct gantry_op *op)
{
	struct store *store = calloc(1, sizeof(*store));
	int status;

	if (!store)
		return -ENOMEM;
	store->broker = broker;
	store->inst = broker->inst;
	store->lock_fd = -1;
	make_locks(store);
	dispatcher_init(store);
	writer_init(store);
	status = open_all(store);
	if (!status)
		status = expiry_new(store, &store->expiry);
	if (status) {
		store_close(store);
		return status;
	}
	*ret = store;
	store->recover_work = (struct gantry_work){.run = store_recover, .user = store};
	return gantry_work(store->inst, &store->recover_work, op);
}

void store_on_arrival(struct store *store, store_arrived *arrived, void *user)
{
	store->arrived = arrived;
	store->arrived_user = user;
}

int store_serve(struct store *store)
{
	int status = writer_start(store);

	if (!status)
		status = expiry_start(store->expiry);
	if (!status)
		dispatcher_go(store);
	return status;
}

void store_shut(struct store *store)
{
	store_close_queues(store);
	store_index_close(store);
	if (store->attached)
		store->door->detach(store->door_inst);
	store->attached = false;
	checkpoint_close(&store->checkpoint);
	point_close(&store->point);
	if (store->clean)
		files_remove_abort(store->root);
	store->clean = false;
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	store->lock_fd = -1;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_shut(store);
	store_free_queues(store);
	expiry_free(store->expiry);
	destroy_locks(store);
	for (uint32_t i = 0; i < QUEUE_KINDS; i++)
		free(store->folders[i]);
	free(store->root);
	free(store);
}
