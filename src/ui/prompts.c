#include "ui/prompts.h"

#include "base/interrupt.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t) 16 << 20)

struct prompts {
    int fd;
    char *path; /* as given */
    bool json, regular, ended;
    char buf[1 << 16];
    size_t at, n; /* of buf: what is read and not taken */
    struct str line;
    bool too_long; /* the line */
    struct prompt prompt;
};

struct prompts *prompts_open(const char *path, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        path_error(err, "cannot read", path, fd < 0 ? errno : EISDIR);
        if (fd >= 0 && !standard)
            close(fd);
        return NULL;
    }
    struct prompts *p = xcalloc(1, sizeof *p);
    p->fd = fd;
    p->path = xstrdup(path);
    p->json = strcmp(path_suffix(path), "jsonl") == 0;
    p->regular = S_ISREG(st.st_mode);
    p->line = p->prompt.text = (struct str) STR_INIT;
    return p;
}

void prompts_close(struct prompts *p)
{
    if (!p)
        return;
    if (p->fd != STDIN_FILENO)
        close(p->fd);
    str_release(&p->line);
    str_release(&p->prompt.text);
    ids_release(&p->prompt.ids);
    free(p->prompt.id);
    free(p->path);
    free(p);
}

/* More bytes into the empty buffer; none at the end. */
static bool fill(struct prompts *p, struct err *err)
{
    struct pollfd fd = {.fd = p->fd, .events = POLLIN};
    ssize_t n = -1;

    while (n < 0) {
        if (interrupt_pending())
            return err_set(err, "interrupted");
        if (poll(&fd, 1, -1) < 0)
            continue; /* a signal: waiting is not taken up again by itself, as reading is */
        n = read(p->fd, p->buf, sizeof p->buf);
        if (n < 0 && errno != EINTR)
            return path_error(err, "cannot read", p->path, errno);
    }
    p->at = 0;
    p->n = (size_t) n;
    p->ended = n == 0;
    return true;
}

/* The next line, without its end; ended and empty at the end. Of one that is too long the rest
 * is passed over. */
static bool read_line(struct prompts *p, struct err *err)
{
    const char *eol = NULL;

    str_clear(&p->line);
    p->too_long = false;
    while (!eol) {
        if (p->at == p->n && !p->ended && !fill(p, err))
            return false;
        if (p->ended)
            break;
        eol = memchr(p->buf + p->at, '\n', p->n - p->at);
        size_t n = eol ? (size_t) (eol - p->buf) - p->at : p->n - p->at;
        p->too_long = p->too_long || p->line.len + n > LINE_MAX_BYTES;
        if (!p->too_long)
            str_add(&p->line, p->buf + p->at, n);
        p->at += n + (eol != NULL);
    }
    if (p->line.len > 0 && p->line.text[p->line.len - 1] == '\r')
        str_cut(&p->line, p->line.len - 1, 1);
    return true;
}

long prompts_count(struct prompts *p)
{
    struct err unheard = ERR_INIT;
    off_t here = p->regular ? lseek(p->fd, 0, SEEK_CUR) : -1;
    struct prompts again = {.fd = p->fd, .path = p->path, .line = STR_INIT};
    long n = 0;

    if (here < 0)
        return 0;
    while (!again.ended && read_line(&again, &unheard))
        n += again.line.len > 0 || again.too_long;
    str_release(&again.line);
    return lseek(p->fd, here, SEEK_SET) == here ? n : 0;
}

/* --- JSON lines --- */

static bool take_ids(struct prompt *q, const json_t *list, struct err *err)
{
    q->has_ids = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_array_get(list, i);
        json_int_t v = json_is_integer(id) ? json_integer_value(id) : -1;
        if (v < 0 || v > INT32_MAX)
            return err_set(err, "ids must be a list of token ids such as [51, 370]");
        ids_add(&q->ids, (int32_t) v);
    }
    return json_is_array(list) ||
           err_set(err, "ids must be a list of token ids such as [51, 370]");
}

static bool take_id(struct prompt *q, const json_t *id, struct err *err)
{
    if (json_is_string(id) && strlen(json_string_value(id)) == json_string_length(id))
        q->id = xstrndup(json_string_value(id), json_string_length(id));
    else if (json_is_integer(id))
        q->id = xasprintf("%lld", (long long) json_integer_value(id));
    else if (id && !json_is_null(id))
        return err_set(err, "id must be a text without NUL or a whole number");
    return true;
}

static bool take_object(struct prompt *q, const json_t *o, struct err *err)
{
    const json_t *text = json_object_get(o, "prompt"), *ids = json_object_get(o, "ids");

    if (!json_is_object(o))
        return err_set(err, "the line is no object such as {\"prompt\": \"Tom gave\"}");
    if ((text != NULL) == (ids != NULL))
        return err_set(err, text ? "both prompt and ids are given; one of them says the prompt"
                                 : "there is neither prompt nor ids");
    if (!take_id(q, json_object_get(o, "id"), err))
        return false;
    if (ids)
        return take_ids(q, ids, err);
    if (!json_is_string(text))
        return err_set(err, "prompt must be a text");
    str_add(&q->text, json_string_value(text), json_string_length(text));
    return true;
}

static bool take_line(struct prompts *p, struct err *err)
{
    struct prompt *q = &p->prompt;

    if (p->too_long)
        return err_set(err, "the line is longer than %zu MB", LINE_MAX_BYTES >> 20);
    if (!p->json) {
        str_add(&q->text, p->line.text, p->line.len);
        return true;
    }
    json_t *o = json_parse(p->line.text, p->line.len, err);
    bool ok = o && take_object(q, o, err);
    json_decref(o);
    return ok;
}

enum prompts_got prompts_next(struct prompts *p, const struct prompt **prompt, struct err *err)
{
    struct prompt *q = &p->prompt;

    *prompt = q;
    str_clear(&q->text);
    q->ids.n = 0;
    q->has_ids = false;
    free(q->id);
    q->id = NULL;
    do {
        if (!read_line(p, err))
            return PROMPTS_FAILED;
        q->line++;
        if (p->ended && p->line.len == 0 && !p->too_long)
            return PROMPTS_END;
    } while (p->line.len == 0 && !p->too_long);
    q->number++;
    return take_line(p, err) ? PROMPTS_ONE : PROMPTS_BAD;
}
