/* What the files beside tokenizer.json say: which tokens begin and end a text. */
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_LIMIT = 64 << 20 };

typedef void reader(struct vocab *v, const json_t *o);

/* A token's text: "..." or {"content": "..."}. */
static int named_token(const struct vocab *v, const json_t *o, const char *key)
{
    const json_t *t = json_object_get(o, key);

    if (json_is_object(t))
        t = json_object_get(t, "content");
    if (!json_is_string(t))
        return -1;
    return vocab_find_special(v, json_string_value(t), json_string_length(t));
}

static void read_names(struct vocab *v, const json_t *o)
{
    int bos = named_token(v, o, "bos_token"), eos = named_token(v, o, "eos_token");
    const json_t *add = json_object_get(o, "add_bos_token");
    const char *class = json_string_value(json_object_get(o, "tokenizer_class"));

    if (bos >= 0)
        v->bos = bos;
    if (eos >= 0)
        v->eos = eos;
    if (json_is_boolean(add))
        v->add_bos = json_is_true(add);
    else if (class && (strncmp(class, "LlamaTokenizer", 14) == 0 ||
                       strncmp(class, "GemmaTokenizer", 14) == 0))
        v->add_bos = true; /* these classes' default */
}

static int checked_id(const struct vocab *v, const json_t *id)
{
    json_int_t i = json_is_integer(id) ? json_integer_value(id) : -1;

    return i >= 0 && i < v->n ? (int) i : -1;
}

static void read_ids(struct vocab *v, const json_t *o)
{
    const json_t *eos = json_object_get(o, "eos_token_id"), *id;
    size_t i;

    if (v->bos < 0)
        v->bos = checked_id(v, json_object_get(o, "bos_token_id"));
    if (v->eos < 0)
        v->eos = checked_id(v, json_is_array(eos) ? json_array_get(eos, 0) : eos);
    vocab_add_end(v, checked_id(v, eos));
    json_array_foreach((json_t *) eos, i, id)
    {
        vocab_add_end(v, checked_id(v, id));
    }
}

static const struct {
    const char *name;
    reader *read;
} files[] = {{"special_tokens_map.json", read_names},
             {"tokenizer_config.json", read_names},
             {"generation_config.json", read_ids},
             {"config.json", read_ids}};

bool vocab_read_folder(struct vocab *v, const char *folder, struct err *err)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = file_join(folder, files[i].name);
        json_t *o = file_exists(path) ? json_parse_file(path, JSON_LIMIT, err) : NULL;
        bool ok = o || !file_exists(path);
        if (o && !json_is_object(o)) {
            ok = err_set(err, "the file does not hold an object");
            path_add(err, path);
        } else if (o) {
            files[i].read(v, o);
        }
        json_decref(o);
        free(path);
        if (!ok)
            return false;
    }
    vocab_add_end(v, v->eos);
    return true;
}
