/* A process that gets no more memory: the large requests of one process fail, as they do when its address space is full.
 *
 * NIGHTCAST_TEST_MEMORY names a file of two numbers (int32, native order): the process, none while it is 0, and the
 * smallest request in bytes that fails. It is mapped, so that a change is seen at once by every process that has this
 * library. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *place, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static const volatile int32_t *starved;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("NIGHTCAST_TEST_MEMORY");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *place = mmap(NULL, 2 * sizeof(*starved), PROT_READ, MAP_SHARED, file, 0);
    if (place != MAP_FAILED)
        starved = place;
    close(file);
}

static int refused(size_t size)
{
    return starved && starved[0] != 0 && size >= (size_t)starved[1] && starved[0] == (int32_t)getpid();
}

void *malloc(size_t size)
{
    if (!refused(size))
        return __libc_malloc(size);
    errno = ENOMEM;
    return NULL;
}

void *calloc(size_t count, size_t size)
{
    if (!refused(count * size))
        return __libc_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}

void *realloc(void *place, size_t size)
{
    if (!refused(size))
        return __libc_realloc(place, size);
    errno = ENOMEM;
    return NULL;
}

int posix_memalign(void **place, size_t alignment, size_t size)
{
    if (refused(size))
        return ENOMEM;
    void *found = __libc_memalign(alignment, size);
    if (!found)
        return ENOMEM;
    *place = found;
    return 0;
}
