#include "text_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/gptscope-text-XXXXXX";
static bool has_folder;

static const char *tests_dir(void)
{
    const char *dir = getenv("TESTS_DIR");

    return dir ? dir : "tests";
}

char *data_path(const char *name)
{
    return xasprintf("%s/data/%s", tests_dir(), name);
}

char *temp_folder(void)
{
    if (!has_folder)
        assert_non_null(mkdtemp(folder));
    has_folder = true;
    return xstrdup(folder);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void) st;
    (void) kind;
    (void) ftw;
    return remove(path);
}

int temp_remove(void **state)
{
    (void) state;
    return has_folder ? nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) : 0;
}

char *write_file(const char *name, const void *bytes, size_t n)
{
    char *in = temp_folder(), *path = file_join(in, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    free(in);
    return path;
}

/* "a/b.json.gz" becomes "b.json" in the test's folder. */
static char *unpack(const char *packed)
{
    char *in = temp_folder(), *path = file_join(in, strrchr(packed, '/') + 1), *command;

    path[strlen(path) - strlen(".gz")] = '\0';
    command = xasprintf("gzip -dc '%s' >'%s'", packed, path);
    if (system(command) != 0)
        fail_msg("%s: failed", command);
    free(command);
    free(in);
    return path;
}

char *shared_path(const char *name)
{
    char *path = xasprintf("%s/../../shared/fixtures/%s", tests_dir(), name);
    size_t n = strlen(path);

    if (!file_exists(path)) {
        print_message("skipped: there is no %s\n", path);
        free(path);
        return NULL;
    }
    if (strcmp(path + n - 3, ".gz") != 0)
        return path;
    char *plain = unpack(path);
    free(path);
    return plain;
}

struct tokenizer *open_tokenizer(const char *path)
{
    struct err err = ERR_INIT;
    struct tokenizer *t = tokenizer_open(path, &err);

    if (!t)
        fail_msg("%s", err.text);
    return t;
}

void assert_no_tokenizer(const char *path, const char *message)
{
    struct err err = ERR_INIT;
    struct tokenizer *t = tokenizer_open(path, &err);

    assert_null(t);
    if (*message == '~' ? !strstr(err.text, message + 1) : strcmp(err.text, message) != 0)
        fail_msg("'%s' is not '%s'", err.text, message);
    if (!strstr(err.text, path) || strchr(err.text, '\n'))
        fail_msg("'%s' is not one line that names '%s'", err.text, path);
}

struct ids encode(const struct tokenizer *t, const char *text, size_t n, int flags)
{
    struct err err = ERR_INIT;
    struct ids ids = IDS_INIT;

    if (!tokenizer_encode(t, text, n, flags, &ids, &err))
        fail_msg("%.*s: %s", n < 100 ? (int) n : 100, text, err.text);
    return ids;
}

struct ids encode_text(const struct tokenizer *t, const char *text, int flags)
{
    return encode(t, text, strlen(text), flags);
}

void assert_ids(const struct tokenizer *t, const char *text, int flags, const char *want)
{
    struct ids ids = encode_text(t, text, flags);
    struct str got = STR_INIT;

    for (int i = 0; i < ids.n; i++)
        str_addf(&got, "%s%d", i > 0 ? " " : "", ids.id[i]);
    if (strcmp(got.text, want) != 0)
        fail_msg("'%s' gives '%s', not '%s'", text, got.text, want);
    str_release(&got);
    ids_release(&ids);
}

bool ids_equal(const struct ids *a, const json_t *b)
{
    if ((size_t) a->n != json_array_size(b))
        return false;
    for (int i = 0; i < a->n; i++) {
        if (a->id[i] != json_integer_value(json_array_get(b, (size_t) i)))
            return false;
    }
    return true;
}

char *decode_whole(const struct tokenizer *t, const struct ids *ids, size_t *n)
{
    struct str s = STR_INIT;

    tokenizer_decode(t, ids->id, ids->n, &s);
    str_add(&s, "", 0);
    *n = s.len;
    return str_steal(&s);
}

char *decode_stream(const struct tokenizer *t, const struct ids *ids, size_t *n)
{
    struct str s = STR_INIT;
    struct decoder d;

    decoder_init(&d, t);
    for (int i = 0; i <= ids->n; i++) {
        size_t before = s.len;
        if (i < ids->n)
            decoder_feed(&d, ids->id[i], &s);
        else
            decoder_finish(&d, &s);
        if (!utf8_valid(s.text + before, s.len - before))
            fail_msg("step %d gives half a character", i);
    }
    *n = s.len;
    return str_steal(&s);
}
