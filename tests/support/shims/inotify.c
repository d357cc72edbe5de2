/* A system that has no file watches left.
 *
 * NIGHTCAST_TEST_INOTIFY says which call fails: "instances" (inotify_init1 with EMFILE) or "watches" (inotify_add_watch
 * with ENOSPC). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int fails(const char *call)
{
    const char *failing = getenv("NIGHTCAST_TEST_INOTIFY");
    return failing && strcmp(failing, call) == 0;
}

int inotify_init1(int flags)
{
    if (fails("instances")) {
        errno = EMFILE;
        return -1;
    }
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "inotify_init1");
    return next(flags);
}

int inotify_add_watch(int instance, const char *path, uint32_t mask)
{
    if (fails("watches")) {
        errno = ENOSPC;
        return -1;
    }
    int (*next)(int, const char *, uint32_t) = (int (*)(int, const char *, uint32_t))dlsym(RTLD_NEXT, "inotify_add_watch");
    return next(instance, path, mask);
}
