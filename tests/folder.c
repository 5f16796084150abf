#include "folder.h"

#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char folder[64];

int folder_enter(void **state)
{
    (void) state;
    snprintf(folder, sizeof folder, "/tmp/gptscope-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int folder_leave(void **state)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    (void) state;
    while (d && (e = readdir(d))) {
        char *path = file_join(folder, e->d_name);
        if (unlink(path) != 0 && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            rmdir(path);
        free(path);
    }
    if (d)
        closedir(d);
    return rmdir(folder);
}

int names_in_folder(void)
{
    DIR *d = opendir(folder);
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}
