// Notes what a program touches: each file it opens, each socket it makes, each program it starts, and at its end how
// much memory it had. For LD_PRELOAD; the notes lie in $NIGHTCAST_OPENS, one file for each process, as records that end
// with a NUL, since names may hold anything else: a letter and what it says.
//
//   A argument   R path opened for reading   W path opened for writing   S family of a socket   C family connected to
//   X program started   M peak memory in kB
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#undef open
#undef open64
#undef openat
#undef openat64
#undef fopen
#undef fopen64

static int notes = -1;

// Some libraries open files before our own beginning.
static void begin(void)
{
    const char *folder = getenv("NIGHTCAST_OPENS");
    char path[4096];
    if (notes >= 0 || !folder)
        return;
    snprintf(path, sizeof(path), "%s/%d", folder, (int)getpid());
    notes = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(char kind, const char *text)
{
    char record[8192];
    begin();
    if (notes < 0)
        return;
    int length = snprintf(record, sizeof(record), "%c%s", kind, text ? text : "");
    if (length >= (int)sizeof(record))
        length = sizeof(record) - 1;
    if (write(notes, record, (size_t)length + 1) < 0)
        _exit(99); // What cannot be noted must not pass for proof.
}

static void note_number(char kind, long number)
{
    char text[32];
    snprintf(text, sizeof(text), "%ld", number);
    note(kind, text);
}

static void note_open(const char *path, int flags)
{
    note((flags & O_ACCMODE) == O_RDONLY ? 'R' : 'W', path);
}

__attribute__((constructor)) static void note_beginning(int count, char **args)
{
    for (int n = 0; n < count; n++)
        note('A', args[n]);
}

__attribute__((destructor)) static void note_end(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        note_number('M', usage.ru_maxrss);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define MODE_OF(flags)                                         \
    int mode = 0;                                              \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                     \
        va_list more;                                          \
        va_start(more, flags);                                 \
        mode = va_arg(more, int);                              \
        va_end(more);                                          \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    note_open(path, flags);
    return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    note_open(path, flags);
    return REAL(open64)(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags)
    note_open(path, flags);
    return REAL(openat)(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE_OF(flags)
    note_open(path, flags);
    return REAL(openat64)(folder, path, flags, mode);
}

// What programs compiled with _FORTIFY_SOURCE call.
int __open_2(const char *path, int flags)
{
    note_open(path, flags);
    return REAL(open)(path, flags);
}

int __open64_2(const char *path, int flags)
{
    note_open(path, flags);
    return REAL(open64)(path, flags);
}

FILE *fopen(const char *path, const char *mode)
{
    note(mode[0] == 'r' && !strchr(mode, '+') ? 'R' : 'W', path);
    return REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    note(mode[0] == 'r' && !strchr(mode, '+') ? 'R' : 'W', path);
    return REAL(fopen64)(path, mode);
}

int socket(int family, int type, int protocol)
{
    note_number('S', family);
    return REAL(socket)(family, type, protocol);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    note_number('C', address ? address->sa_family : -1);
    return REAL(connect)(fd, address, length);
}

int execve(const char *path, char *const args[], char *const environment[])
{
    note('X', path);
    return REAL(execve)(path, args, environment);
}

int posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attributes, char *const args[],
                char *const environment[])
{
    note('X', path);
    int (*real)(pid_t *, const char *, const void *, const void *, char *const[], char *const[]) =
        dlsym(RTLD_NEXT, "posix_spawn");
    return real(pid, path, actions, attributes, args, environment);
}
