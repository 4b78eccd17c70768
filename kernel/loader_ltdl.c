/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that knows libltdl. Its own dlopen loader binds lazily, so a plugin that misses a
 * symbol would load and die later, and its error text is always "file not found". We put a loader
 * of ours in its place: RTLD_NOW, RTLD_LOCAL, and the text of dlerror().
 *
 * libltdl keeps global state and is not for threads, hence the lock. */
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <ltdl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t ltdl_lock = PTHREAD_MUTEX_INITIALIZER;

/* Where the loader's open leaves its reason; under the lock. */
struct reason {
	char text[512];
};

static lt_module open_now(lt_user_data user, const char *path, lt_dladvise advise)
{
	struct reason *reason = user;
	(void)advise;
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		snprintf(reason->text, sizeof(reason->text), "%s", dlerror());
	return module;
}

static void *find_symbol(lt_user_data user, lt_module module, const char *name)
{
	(void)user;
	return dlsym(module, name);
}

static int close_module(lt_user_data user, lt_module module)
{
	(void)user;
	return dlclose(module);
}

static struct reason ltdl_reason;

/* Ours alone, so that nothing falls back to libltdl's. Under the lock, after lt_dlinit. Vtables are
 * from malloc: lt_dlexit frees those that are left, whoever removes one frees it. */
static int take_over(void)
{
	lt_dlvtable *ours;
	if (lt_dlloader_find("gantry"))
		return 0;
	ours = calloc(1, sizeof(*ours));
	if (!ours)
		return -ENOMEM;
	*ours = (lt_dlvtable){.name = "gantry",
			      .priority = LT_DLLOADER_PREPEND,
			      .module_open = open_now,
			      .module_close = close_module,
			      .find_sym = find_symbol,
			      .dlloader_data = &ltdl_reason};
	if (lt_dlloader_add(ours)) {
		free(ours);
		return -ENOEXEC;
	}
	free(lt_dlloader_remove("lt_dlopen"));
	free(lt_dlloader_remove("lt_preopen"));
	return 0;
}

static int ltdl_open(const char *path, void **ret_handle, char *why, size_t why_size)
{
	lt_dlhandle handle = NULL;
	pthread_mutex_lock(&ltdl_lock);
	snprintf(ltdl_reason.text, sizeof(ltdl_reason.text), "libltdl does not start");
	int started = lt_dlinit() == 0;
	if (started && take_over() == 0) {
		snprintf(ltdl_reason.text, sizeof(ltdl_reason.text), "libltdl cannot open it");
		handle = lt_dlopen(path);
	}
	if (!handle) {
		snprintf(why, why_size, "%s", ltdl_reason.text);
		if (started)
			lt_dlexit();
	}
	pthread_mutex_unlock(&ltdl_lock);
	if (!handle)
		return -ENOEXEC;
	*ret_handle = handle;
	return 0;
}

static void *ltdl_symbol(void *handle, const char *name)
{
	pthread_mutex_lock(&ltdl_lock);
	void *symbol = lt_dlsym(handle, name);
	pthread_mutex_unlock(&ltdl_lock);
	return symbol;
}

static void ltdl_close(void *handle)
{
	pthread_mutex_lock(&ltdl_lock);
	lt_dlclose(handle);
	lt_dlexit();
	pthread_mutex_unlock(&ltdl_lock);
}

const struct gk_loader_ops gk_loader_ltdl = {
	.open = ltdl_open,
	.symbol = ltdl_symbol,
	.close = ltdl_close,
};
