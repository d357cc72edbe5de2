/* A folder that cannot be read, also for root.
 *
 * While the file named by NIGHTCAST_TEST_FOLDER exists, every folder named "media" and all below it fail to open with the
 * error number that is written in it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DIR *opendir(const char *path)
{
    const char *control = getenv("NIGHTCAST_TEST_FOLDER");
    FILE *file = control && strstr(path, "/media") ? fopen(control, "re") : NULL;
    if (file) {
        int number = 0;
        int read = fscanf(file, "%d", &number);
        fclose(file);
        if (read == 1) {
            errno = number;
            return NULL;
        }
    }
    DIR *(*next)(const char *) = (DIR * (*)(const char *))dlsym(RTLD_NEXT, "opendir");
    return next(path);
}
