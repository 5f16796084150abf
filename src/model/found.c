#include "model/builtin.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH   4     /* the HF cache: models--ORG--NAME/snapshots/REVISION/ */
#define MAX_ENTRIES 20000 /* looked at in all: a folder may be anything */

struct search {
    struct found_model *list;
    int n, cap;
    int entries;
};

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s), k = strlen(suffix);

    return n > k && strcmp(s + n - k, suffix) == 0;
}

static void add(struct search *s, const char *path, const char *what, unsigned long long bytes)
{
    int i;

    for (i = 0; i < s->n; i++)
        if (strcmp(s->list[i].path, path) == 0)
            return;
    VEC_ROOM(s->list, s->n, s->cap);
    s->list[s->n].path = xstrdup(path);
    s->list[s->n].bytes = bytes;
    snprintf(s->list[s->n].what, sizeof s->list[s->n].what, "%s", what);
    s->n++;
}

/* Looks at one entry of a folder: a GGUF file is added, a safetensors file counted. */
static void look_at_file(struct search *s, const char *path, const struct stat *st,
                         unsigned long long *weights)
{
    if (!S_ISREG(st->st_mode))
        return;
    if (ends_with(path, ".gguf"))
        add(s, path, "gguf", (unsigned long long) st->st_size);
    else if (ends_with(path, ".safetensors"))
        *weights += (unsigned long long) st->st_size;
}

static void search_folder(struct search *s, const char *folder, int depth)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    unsigned long long weights = 0;
    bool config = false;

    if (!dir)
        return;
    while (s->entries < MAX_ENTRIES && (e = readdir(dir))) {
        char *path;
        struct stat st;
        if (e->d_name[0] == '.')
            continue;
        s->entries++;
        path = file_join(folder, e->d_name);
        if (stat(path, &st) == 0) {
            config = config || strcmp(e->d_name, "config.json") == 0;
            look_at_file(s, path, &st, &weights);
            if (S_ISDIR(st.st_mode) && depth > 1)
                search_folder(s, path, depth - 1);
        }
        free(path);
    }
    closedir(dir);
    if (config && weights)
        add(s, folder, "hf", weights);
}

/* $VARIABLE/rest, or ~/otherwise when the variable is not set. */
static void search_place(struct search *s, const char *variable, const char *rest,
                         const char *otherwise)
{
    const char *base = variable ? getenv(variable) : NULL, *home = getenv("HOME");
    char *folder = NULL;

    if (base && *base)
        folder = *rest ? file_join(base, rest) : xstrdup(base);
    else if (otherwise && home && *home)
        folder = file_join(home, otherwise);
    if (folder)
        search_folder(s, folder, MAX_DEPTH);
    free(folder);
}

static int by_path(const void *a, const void *b)
{
    const struct found_model *x = a, *y = b;

    return strcmp(x->path, y->path);
}

int found_models(struct found_model **list)
{
    struct search s = {0};

    search_place(&s, "GPTSCOPE_MODELS", "", NULL);
    search_place(&s, "XDG_DATA_HOME", "gptscope/models", ".local/share/gptscope/models");
    search_folder(&s, "models", MAX_DEPTH);
    search_place(&s, NULL, "", "models");
    search_place(&s, "HF_HOME", "hub", ".cache/huggingface/hub");
    if (s.n)
        qsort(s.list, (size_t) s.n, sizeof *s.list, by_path);
    *list = s.list;
    return s.n;
}

void found_models_free(struct found_model *list, int n)
{
    int i;

    for (i = 0; i < n; i++)
        free(list[i].path);
    free(list);
}
