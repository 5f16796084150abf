/* The exercises in the program, and the files that a learner begins with. */
#include "session/exercise.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MOST = 1 << 20 };

/* Set down in exercise_blob.S. */
extern const char blob_exercises[], blob_exercises_end[];
extern const char blob_exercise_header[], blob_exercise_header_end[];
extern const char blob_exercise_harness[], blob_exercise_harness_end[];

const char *in_lang(enum lang lang, const char *en, const char *zh)
{
    return lang == LANG_ZH ? zh : en;
}

const char *exercise_header(size_t *n)
{
    *n = (size_t) (blob_exercise_header_end - blob_exercise_header);
    return blob_exercise_header;
}

const char *exercise_harness(size_t *n)
{
    *n = (size_t) (blob_exercise_harness_end - blob_exercise_harness);
    return blob_exercise_harness;
}

/* Constant once it is made, and as long as the program. */
const struct exercises *exercises_all(struct err *err)
{
    static struct exercises all;

    if (all.n == 0 && !exercises_parse(&all, blob_exercises,
                                       (size_t) (blob_exercises_end - blob_exercises), err))
        return NULL;
    return &all;
}

const struct exercise *exercise_find(const char *name, struct err *err)
{
    const struct exercises *all = exercises_all(err);
    struct near near;
    char *end;
    long n = strtol(name, &end, 10);

    if (!all)
        return NULL;
    if (end != name && !*end && n >= 1 && n <= all->n)
        return &all->item[n - 1];
    near_init(&near, name);
    for (int i = 0; i < all->n; i++) {
        if (!strcmp(all->item[i].name, name))
            return &all->item[i];
        near_try(&near, all->item[i].name);
    }
    if (near_best(&near))
        err_set(err, "there is no exercise '%s'; did you mean '%s'?", name, near_best(&near));
    else
        err_set(err, "there is no exercise '%s'; 'exercise list' names the %d there are", name,
                all->n);
    return NULL;
}

int exercise_todo_find(const struct exercise *e, const char *name, struct err *err)
{
    struct str names = STR_INIT;
    char *end;
    long n = strtol(name, &end, 10);

    if (end != name && !*end && n >= 1 && n <= e->n_todos)
        return (int) n - 1;
    for (int i = 0; i < e->n_todos; i++)
        if (!strcmp(e->todo[i].name, name))
            return i;
    for (int i = 0; i < e->n_todos; i++)
        str_addf(&names, "%s%s",
                 i == 0               ? ""
                 : i + 1 < e->n_todos ? ", "
                                      : " and ",
                 e->todo[i].name);
    err_set(err, "exercise %s has no TODO '%s', but %s", e->name, name, names.text);
    str_release(&names);
    return -1;
}

/* --- starting --- */

struct start_file {
    char *path;
    struct str text, other; /* other: the same in the other language, or "" */
};

/* Whether the file may be written: it is not there, or is what would be written. */
static bool may_write(const struct start_file *f, struct err *err)
{
    struct str old = STR_INIT;
    bool ok = true;

    if (!file_exists(f->path))
        return true;
    if (!file_read(&old, f->path, FILE_MOST, err))
        ok = false;
    else if (strcmp(old.text, f->text.text) && strcmp(old.text, f->other.text)) {
        char *shown = path_shown(f->path);
        ok = err_set(err,
                     "'%s' is there already and was changed; it stays as it is: start in "
                     "another folder, or move it away",
                     shown);
        free(shown);
    }
    str_release(&old);
    return ok;
}

static bool write_file(const struct start_file *f, struct err *err)
{
    struct outfile *out = outfile_open(f->path, err);

    if (!out)
        return false;
    outfile_write(out, f->text.text, f->text.len);
    return outfile_commit(out, err);
}

bool exercise_start(const struct exercise *e, const char *dir, enum lang lang, struct err *err)
{
    struct start_file file[3] = {
        {NULL, STR_INIT, STR_INIT}, {NULL, STR_INIT, STR_INIT}, {NULL, STR_INIT, STR_INIT}};
    char *source = xasprintf("%s.c", e->name);
    size_t n_header;
    const char *header = exercise_header(&n_header);
    bool ok;

    dir = dir ? dir : e->name;
    exercise_template(e, lang, &file[0].text);
    exercise_template(e, lang == LANG_ZH ? LANG_EN : LANG_ZH, &file[0].other);
    str_add(&file[1].text, header, n_header);
    exercise_makefile(e, &file[2].text);
    file[0].path = file_join(dir, source);
    file[1].path = file_join(dir, "exercise.h");
    file[2].path = file_join(dir, "Makefile");
    ok = file_is_dir(dir) || mkdir(dir, 0777) == 0 ||
         path_error(err, "cannot make the folder", dir, errno);
    for (int i = 0; ok && i < 3; i++)
        ok = may_write(&file[i], err);
    for (int i = 0; ok && i < 3; i++)
        ok = write_file(&file[i], err);
    for (int i = 0; i < 3; i++) {
        free(file[i].path);
        str_release(&file[i].text);
        str_release(&file[i].other);
    }
    free(source);
    return ok;
}

char *exercise_path(const struct exercise *e, const char *dir, struct err *err)
{
    char *source = xasprintf("%s.c", e->name), *path = NULL;
    const char *const places[] = {dir ? dir : e->name, dir ? NULL : "."};

    if (dir && file_exists(dir) && !file_is_dir(dir))
        path = xstrdup(dir);
    for (int i = 0; !path && i < 2 && places[i]; i++) {
        path = !strcmp(places[i], ".") ? xstrdup(source) : file_join(places[i], source);
        if (!file_exists(path)) {
            free(path);
            path = NULL;
        }
    }
    if (!path) {
        char *shown = path_shown(places[0]);
        err_set(err, "there is no %s in '%s'; 'exercise start %s%s%s' writes it", source, shown,
                e->name, dir ? " " : "", dir ? shown : "");
        free(shown);
    }
    free(source);
    return path;
}
