#include "ui/state.h"

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_MOST (1 << 22)

static char *path_of(const char *variable, const char *below_home, const char *name)
{
    const char *dir = getenv(variable), *home = getenv("HOME");

    if (dir && *dir == '/')
        return xasprintf("%s/gptscope/%s", dir, name);
    if (!home || *home != '/')
        return NULL;
    return xasprintf("%s/%s/gptscope/%s", home, below_home, name);
}

char *state_path(const char *name)
{
    return path_of("XDG_STATE_HOME", ".local/state", name);
}

char *config_path(const char *name)
{
    return path_of("XDG_CONFIG_HOME", ".config", name);
}

bool state_read(const char *name, struct str *out)
{
    char *path = state_path(name);
    struct err unheard = ERR_INIT;
    bool ok = path && file_exists(path) && file_read(out, path, STATE_MOST, &unheard);

    free(path);
    return ok;
}

/* The folders of a file. */
static void make_dirs(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

void state_write(const char *name, const struct str *text)
{
    char *path = state_path(name);
    struct err unheard = ERR_INIT;

    if (!path)
        return;
    make_dirs(path);
    mode_t mask = umask(077);
    struct outfile *f = outfile_open(path, &unheard);
    if (f) {
        outfile_write(f, text->text, text->len);
        outfile_commit(f, &unheard);
    }
    umask(mask);
    free(path);
}
