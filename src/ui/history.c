#include "ui/history.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <readline/history.h>

#define LINES_KEPT 1000

/* The folder, "" when there is no home; yours. */
static char *state_dir(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state && *state == '/')
        return file_join(state, "gptscope");
    if (!home || *home != '/')
        return xstrdup("");
    return file_join(home, ".local/state/gptscope");
}

static void make_dirs(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700);
}

void history_load(void)
{
    char *dir = state_dir();
    char *path = file_join(dir, "history");

    stifle_history(LINES_KEPT);
    if (*dir)
        read_history(path);
    free(path);
    free(dir);
}

void history_note(const char *line)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

    if (line[strspn(line, " \t")] == '\0' || (last && !strcmp(last->line, line)))
        return;
    add_history(line);
}

void history_save(void)
{
    char *dir = state_dir();
    char *path = file_join(dir, "history");
    mode_t mask;

    if (*dir) {
        make_dirs(dir);
        mask = umask(077);
        write_history(path);
        umask(mask);
    }
    free(path);
    free(dir);
}
