/* Sidecars as files: finding, taking away, comparing. What is in them: sidecar_say.c. */
#include "command/sidecar.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"
#include "command/sidecar_say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIDECAR_MAX ((size_t) 256 << 20)
#define END_BYTES   ((size_t) 1 << 20)

char *sidecar_path(const char *path)
{
    return xasprintf("%s.json", path);
}

/* The sidecar as JSON; NULL when there is none, or something else. Yours. */
static json_t *read_sidecar(const char *side)
{
    struct err unheard = ERR_INIT;
    json_t *o = json_parse_file(side, SIDECAR_MAX, &unheard);
    const char *format = json_string_value(json_object_get(o, "format"));

    if (format && !strcmp(format, SIDECAR_FORMAT))
        return o;
    json_decref(o);
    return NULL;
}

bool sidecar_may(const char *path, struct err *err)
{
    char *side = sidecar_path(path);
    json_t *old = read_sidecar(side);
    bool may = old || access(side, F_OK) != 0;

    if (!may) {
        char *shown = path_shown(side);
        err_set(err, "'%s' is there and describes no dump; give another name, or no sidecar",
                shown);
        free(shown);
    }
    json_decref(old);
    free(side);
    return may;
}

void sidecar_begin(struct sidecar_move *m, const char *path)
{
    struct err unheard = ERR_INIT;

    *m = (struct sidecar_move){.path = sidecar_path(path), .old = STR_INIT};
    json_t *old = read_sidecar(m->path);
    if (old && file_read(&m->old, m->path, SIDECAR_MAX, &unheard))
        unlink(m->path);
    json_decref(old);
}

void sidecar_end(struct sidecar_move *m, bool keep)
{
    struct err unheard = ERR_INIT;
    struct outfile *f = m->old.len > 0 && keep ? outfile_open(m->path, &unheard) : NULL;

    if (f) {
        outfile_write(f, m->old.text, m->old.len);
        outfile_commit(f, &unheard);
    }
    str_release(&m->old);
    free(m->path);
}

bool sidecar_measure(const char *path, struct sidecar_data *data, struct err *err)
{
    struct filemap m;

    if (!filemap_open(&m, path, err))
        return false;
    size_t head = m.size < END_BYTES ? m.size : END_BYTES;
    size_t tail = m.size - head < END_BYTES ? m.size - head : END_BYTES;
    data->bytes = m.size;
    data->ends = hash_bytes(HASH_BEGIN, m.data, head);
    data->ends = hash_bytes(data->ends, m.data + m.size - tail, tail);
    filemap_release(&m);
    return true;
}

/* Members of `want` that o has with the same value. */
static bool has_all(const json_t *o, const json_t *want)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *) want, key, v)
    {
        const json_t *there = json_object_get(o, key);
        bool same = json_is_object(v) ? has_all(there, v) : there && json_equal(there, v);
        if (!same)
            return false;
    }
    return true;
}

bool sidecar_matches(const char *path, const struct sidecar_request *q)
{
    struct err unheard = ERR_INIT;
    struct sidecar_data data;
    char *side = sidecar_path(path);
    json_t *o = access(side, R_OK) == 0 ? read_sidecar(side) : NULL;
    json_t *want = o && sidecar_measure(path, &data, &unheard) ? sidecar_asked(q, &data) : NULL;
    bool same = want && has_all(o, want);

    json_decref(want);
    json_decref(o);
    free(side);
    return same;
}

bool sidecar_write(const char *path, const struct sidecar_request *q, const struct session *s,
                   const struct dump_job *job, const char *command, struct err *err)
{
    struct sidecar_data data;

    if (!sidecar_measure(path, &data, err))
        return false;
    char *side = sidecar_path(path);
    struct outfile *f = outfile_open(side, err);
    free(side);
    if (!f)
        return false;
    struct str text = STR_INIT;
    const char *slash = strrchr(path, '/');
    json_t *o = sidecar_say(q, &data, s, job, slash ? slash + 1 : path, command);
    sidecar_print(o, &text);
    outfile_write(f, text.text, text.len);
    str_release(&text);
    json_decref(o);
    return outfile_commit(f, err);
}
