/* SPDX-License-Identifier: Apache-2.0 */
/* SIGBUS in guarded mappings. There is one handler in a process, whatever the number of kernels:
 * so its table is the process's too. The handler takes no lock and makes only system calls. */
#include <gantry/guard.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A process may have 65,530 mappings. Rows are made when they are needed and stay. */
enum { ROWS = 64, ROW_GUARDS = 1024 };

struct row {
	_Atomic(struct gantry_guard *) at[ROW_GUARDS];
};

static struct {
	pthread_mutex_t lock; /* guards rows' growth, places and installed */
	_Atomic(struct row *) row[ROWS];
	_Atomic uint32_t used;     /* places below it were taken at some time */
	_Atomic uint32_t handling; /* handlers that may look at a guard */
	_Atomic uint64_t failures;
	bool installed;
	struct sigaction before; /* set once, before the handler can run */
	uintptr_t page;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic(struct gantry_guard *) *place_at(uint32_t i)
{
	struct row *row = atomic_load_explicit(&table.row[i / ROW_GUARDS], memory_order_acquire);

	return row ? &row->at[i % ROW_GUARDS] : NULL;
}

static struct gantry_guard *guard_at(uint32_t i)
{
	_Atomic(struct gantry_guard *) *place = place_at(i);

	return place ? atomic_load(place) : NULL;
}

/* The guard of that address. Between enter() and leave(). */
static struct gantry_guard *find(uintptr_t at)
{
	uint32_t used = atomic_load_explicit(&table.used, memory_order_acquire);

	for (uint32_t i = 0; i < used; i++) {
		struct gantry_guard *guard = guard_at(i);

		if (guard && at - (uintptr_t)guard->from < guard->size)
			return guard;
	}
	return NULL;
}

static void enter(void)
{
	atomic_fetch_add(&table.handling, 1);
}

static void leave(void)
{
	atomic_fetch_sub(&table.handling, 1);
}

/* ---- what failed */

static void lower(uint64_t *at, uint64_t to)
{
	uint64_t now = __atomic_load_n(at, __ATOMIC_RELAXED);

	while (to < now && !__atomic_compare_exchange_n(at, &now, to, false, __ATOMIC_ACQ_REL,
							__ATOMIC_RELAXED))
		;
}

static void raise_to(uint64_t *at, uint64_t to)
{
	uint64_t now = __atomic_load_n(at, __ATOMIC_RELAXED);

	while (to > now && !__atomic_compare_exchange_n(at, &now, to, false, __ATOMIC_ACQ_REL,
							__ATOMIC_RELAXED))
		;
}

void gantry_guard_note(struct gantry_guard *guard, uint64_t from, uint64_t to)
{
	lower(&guard->bad_from, from);
	raise_to(&guard->bad_to, to);
	atomic_fetch_add(&table.failures, 1);
}

uint64_t gantry_guard_failures(void)
{
	return atomic_load_explicit(&table.failures, memory_order_acquire);
}

int gantry_guard_failed(const void *at, uint64_t size)
{
	struct gantry_guard *guard;
	int failed = 0;

	if (!gantry_guard_failures())
		return 0;
	enter();
	guard = find((uintptr_t)at);
	if (guard) {
		uint64_t from = (uint64_t)((const uint8_t *)at - guard->from);

		failed = gantry_guard_overlaps(guard, from, from + size);
	}
	leave();
	return failed;
}

int gantry_guard_touch(const void *at, uint64_t size)
{
	const volatile uint8_t *bytes = at;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (uint64_t i = 0; i < size; i += page - ((uintptr_t)at + i) % page)
		(void)bytes[i];
	return gantry_guard_failed(at, size);
}

/* ---- the signal */

/* Zeros for the page; false: there is no memory for it. mmap itself may be somebody's wrapper. */
static bool map_zeros(uintptr_t page)
{
	long at = syscall(SYS_mmap, page, table.page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return (uintptr_t)at == page;
}

static bool handle(uintptr_t at)
{
	uintptr_t page = at - at % table.page;
	struct gantry_guard *guard;
	bool handled = false;

	enter();
	guard = find(at);
	if (guard) {
		uint64_t from = page - (uintptr_t)guard->from;

		/* Noted first: who sees the zeros can know. */
		gantry_guard_note(guard, from, from + table.page);
		handled = map_zeros(page);
	}
	leave();
	return handled;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	if (info->si_code <= 0 || !handle((uintptr_t)info->si_addr)) {
		/* As if this handler were not there: a load fails again when it returns. */
		sigaction(number, &table.before, NULL);
		if (info->si_code <= 0)
			raise(number);
	}
	errno = saved;
}

static int install_locked(void)
{
	struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};

	if (table.installed)
		return 0;
	table.page = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, NULL, &table.before) || sigaction(SIGBUS, &action, NULL))
		return -errno;
	table.installed = true;
	return 0;
}

/* ---- guards */

/* The first place that is free, or -ENOSPC, -ENOMEM. */
static int64_t find_place_locked(void)
{
	uint32_t used = atomic_load_explicit(&table.used, memory_order_relaxed);
	struct row *row;

	for (uint32_t i = 0; i < used; i++)
		if (!guard_at(i))
			return i;
	if (used == ROWS * ROW_GUARDS)
		return -ENOSPC;
	if (used % ROW_GUARDS == 0) {
		row = calloc(1, sizeof(*row));
		if (!row)
			return -ENOMEM;
		atomic_store_explicit(&table.row[used / ROW_GUARDS], row, memory_order_release);
	}
	atomic_store_explicit(&table.used, used + 1, memory_order_release);
	return used;
}

int gantry_guard_add(struct gantry_guard *guard)
{
	int64_t place;
	int status;

	guard->bad_from = UINT64_MAX;
	guard->bad_to = 0;
	pthread_mutex_lock(&table.lock);
	status = install_locked();
	place = status ? status : find_place_locked();
	if (place >= 0) {
		guard->place = (uint32_t)place + 1;
		atomic_store(place_at((uint32_t)place), guard);
	}
	pthread_mutex_unlock(&table.lock);
	return place < 0 ? (int)place : 0;
}

void gantry_guard_remove(struct gantry_guard *guard)
{
	if (!guard->place)
		return;
	pthread_mutex_lock(&table.lock);
	atomic_store(place_at(guard->place - 1), NULL);
	guard->place = 0;
	pthread_mutex_unlock(&table.lock);
	/* A handler that has found it is about to be done: it only makes a system call. */
	while (atomic_load(&table.handling))
		sched_yield();
}
