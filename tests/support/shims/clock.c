/* A wall clock that can be set: clock_gettime, gettimeofday and time tell the system's time plus an offset.
 *
 * NIGHTCAST_TEST_CLOCK names a file of eight bytes, the offset in nanoseconds (int64, native order). It is mapped, so that
 * a change is seen at once by every process that has this library. Monotonic clocks stay what they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static const volatile int64_t *offset;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("NIGHTCAST_TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *place = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, file, 0);
    if (place != MAP_FAILED)
        offset = place;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*system_clock)(clockid_t, struct timespec *);
    if (!system_clock)
        system_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int outcome = system_clock(clock, now);
    if (outcome == 0 && offset && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI)) {
        int64_t ahead = *offset;
        int64_t nanos = now->tv_nsec + ahead % SECOND;
        int64_t carry = nanos < 0 ? -1 : nanos >= SECOND;
        now->tv_sec += ahead / SECOND + carry;
        now->tv_nsec = nanos - carry * SECOND;
    }
    return outcome;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    struct timespec fine;
    int outcome = clock_gettime(CLOCK_REALTIME, &fine);
    if (outcome == 0) {
        now->tv_sec = fine.tv_sec;
        now->tv_usec = fine.tv_nsec / 1000;
    }
    return outcome;
}

time_t time(time_t *place)
{
    struct timespec fine;
    time_t now = clock_gettime(CLOCK_REALTIME, &fine) == 0 ? fine.tv_sec : (time_t)-1;
    if (place)
        *place = now;
    return now;
}
