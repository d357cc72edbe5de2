/* A disk that takes nothing: while the file named by SHIM_DISK_CONTROL exists, whatever would write below one of the folders
 * that it lists, one a line, fails. Its first line is the error: "full" (ENOSPC) or "readonly" (EROFS). Children inherit
 * it. The system's own functions are called for everything else. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

/* The error for an absolute path, or 0. Plain system calls only: it runs inside those that it judges. */
static int judged(const char *path) {
    const char *control = getenv("SHIM_DISK_CONTROL");
    if (!control) return 0;
    int fd = REAL(open)(control, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[4096];
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    if (len <= 0) return 0;
    text[len] = 0;
    char *rest = NULL;
    char *line = strtok_r(text, "\n", &rest);
    int error = line && strcmp(line, "readonly") == 0 ? EROFS : ENOSPC;
    while ((line = strtok_r(NULL, "\n", &rest))) {
        size_t n = strlen(line);
        if (strncmp(path, line, n) == 0 && (path[n] == '/' || path[n] == 0)) return error;
    }
    return 0;
}

static int refused(int dir, const char *path) {
    int saved = errno;
    char whole[2 * PATH_MAX], here[PATH_MAX], link[64];
    int error = 0;
    if (path[0] == '/') {
        error = judged(path);
    } else {
        ssize_t len = 0;
        if (dir == AT_FDCWD) {
            len = getcwd(here, sizeof here) ? (ssize_t)strlen(here) : -1;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
            len = readlink(link, here, sizeof here - 1);
        }
        if (len > 0) {
            here[len] = 0;
            snprintf(whole, sizeof whole, "%s/%s", here, path);
            error = judged(whole);
        }
    }
    errno = error ? error : saved;
    return error;
}

static int refused_fd(int fd) {
    int saved = errno;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    int error = 0;
    /* Sockets and pipes are no paths, and what is written to a named pipe is not written to a disk. A file that was removed is
     * still on its disk. */
    struct stat about;
    if (len > 0 && path[0] == '/' && !(fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode))) {
        path[len] = 0;
        error = judged(path);
    }
    errno = error ? error : saved;
    return error;
}

/* A full disk lets files be opened that are there; a read-only one lets none be opened for writing, but for named pipes
 * (inode_permission in fs/namei.c of Linux asks it for files, folders and links only). */
static int refused_open(int dir, const char *path, int flags) {
    if ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT)) return 0;
    int saved = errno;
    int error = refused(dir, path);
    struct stat about;
    int there = error && fstatat(dir, path, &about, 0) == 0;
    if (there && S_ISFIFO(about.st_mode)) error = 0;
    if (error == ENOSPC && (!(flags & O_CREAT) || there)) error = 0;
    errno = error ? error : saved;
    return error;
}

#define OPEN(name)                                           \
    int name(const char *path, int flags, ...) {             \
        va_list rest;                                        \
        va_start(rest, flags);                               \
        mode_t mode = va_arg(rest, mode_t);                  \
        va_end(rest);                                        \
        if (refused_open(AT_FDCWD, path, flags)) return -1;  \
        return REAL(name)(path, flags, mode);                \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                            \
    int name(int dir, const char *path, int flags, ...) {       \
        va_list rest;                                           \
        va_start(rest, flags);                                  \
        mode_t mode = va_arg(rest, mode_t);                     \
        va_end(rest);                                           \
        if (refused_open(dir, path, flags)) return -1;          \
        return REAL(name)(dir, path, flags, mode);              \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                 \
    FILE *name(const char *path, const char *mode) {                                \
        int flags = mode[0] == 'r' && !strchr(mode, '+') ? O_RDONLY : O_WRONLY;     \
        if (flags && refused_open(AT_FDCWD, path, flags | O_CREAT)) return NULL;    \
        return REAL(name)(path, mode);                                              \
    }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int fd, const void *bytes, size_t len) { return refused_fd(fd) ? -1 : REAL(write)(fd, bytes, len); }
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
    return refused_fd(fd) ? -1 : REAL(pwrite)(fd, bytes, len, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at) {
    return refused_fd(fd) ? -1 : REAL(pwrite64)(fd, bytes, len, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return refused_fd(fd) ? -1 : REAL(writev)(fd, parts, count);
}

/* Making a file longer takes room, making it shorter does not. */
static int refused_length(int fd, off64_t len) {
    struct stat about;
    int error = refused_fd(fd);
    return error == ENOSPC && fstat(fd, &about) == 0 && len <= about.st_size ? 0 : error;
}
int ftruncate(int fd, off_t len) { return refused_length(fd, len) ? -1 : REAL(ftruncate)(fd, len); }
int ftruncate64(int fd, off64_t len) { return refused_length(fd, len) ? -1 : REAL(ftruncate64)(fd, len); }
int fallocate(int fd, int mode, off_t at, off_t len) { return refused_fd(fd) ? -1 : REAL(fallocate)(fd, mode, at, len); }
int fallocate64(int fd, int mode, off64_t at, off64_t len) {
    return refused_fd(fd) ? -1 : REAL(fallocate64)(fd, mode, at, len);
}
int posix_fallocate(int fd, off_t at, off_t len) {
    int error = refused_fd(fd);
    return error ? error : REAL(posix_fallocate)(fd, at, len);
}
int posix_fallocate64(int fd, off64_t at, off64_t len) {
    int error = refused_fd(fd);
    return error ? error : REAL(posix_fallocate64)(fd, at, len);
}

int mkdir(const char *path, mode_t mode) {
    struct stat about;
    /* What is there is there, whatever the disk takes. */
    if (stat(path, &about) != 0 && refused(AT_FDCWD, path)) return -1;
    return REAL(mkdir)(path, mode);
}
int link(const char *from, const char *to) { return refused(AT_FDCWD, to) ? -1 : REAL(link)(from, to); }
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    return refused(to_dir, to) ? -1 : REAL(linkat)(from_dir, from, to_dir, to, flags);
}

/* A full disk lets files be renamed within a folder and removed, a read-only one does not. */
static int refused_change(int dir, const char *path) {
    int saved = errno;
    int error = refused(dir, path);
    if (error == ENOSPC) {
        error = 0;
        errno = saved;
    }
    return error;
}
int rename(const char *from, const char *to) { return refused_change(AT_FDCWD, to) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return refused_change(AT_FDCWD, path) ? -1 : REAL(unlink)(path); }
int unlinkat(int dir, const char *path, int flags) {
    return refused_change(dir, path) ? -1 : REAL(unlinkat)(dir, path, flags);
}
int rmdir(const char *path) { return refused_change(AT_FDCWD, path) ? -1 : REAL(rmdir)(path); }
