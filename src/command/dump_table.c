/*
 * csv and tsv: one number a line, with what it belongs to, as pandas, R and awk take it.
 *
 *     value,layer,head,pos,token,key,key_token,channel,channel_token,number
 *     blocks.0.attn.pattern,0,3,1,om,0,T,,,0.25
 *     logits,,,1,om,,,262, the,-3.5
 *
 * The columns are always these; what a value does not have is empty. head counts key/value
 * heads in keys and values; pos is the query where there are keys; channel_token is the text of
 * the token that a logit is for. Nine digits give each float back exactly; a masked score is
 * -inf. The tokens' ids are written when nothing else is selected: their texts are in every
 * line.
 *
 * csv quotes as RFC 4180 says; tsv writes \t \n \r \\ in place of what would end a field. In
 * both, characters that a terminal would act on are written as base/safe.h does.
 */
#include "command/dump_array.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "command/dump_label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t) 1 << 16)

struct table {
    const struct dump_job *job;
    struct outfile *f;
    char comma;
    struct str text; /* lines not written yet */
};

/* --- fields --- */

static bool breaks_csv(uint32_t cp)
{
    return cp == '\n' || cp == '\r' || cp == '\t';
}

/* Text without what a terminal acts on; csv keeps line breaks and tabs, tsv tells its own
 * backslashes from those. */
static void add_safe(const char *p, size_t n, char comma, struct str *out)
{
    for (const char *end = p + n; p < end;) {
        uint32_t cp = 0;
        int len = utf8_decode(p, (size_t) (end - p), &cp);
        len = len ? len : 1;
        if (comma == '\t' && *p == '\\')
            str_adds(out, "\\\\");
        else if (comma == ',' && breaks_csv(cp))
            str_addc(out, *p);
        else if (safe_visible(cp))
            str_add(out, p, (size_t) len);
        else
            safe_add(out, p, (size_t) len, SAFE_SPACE_KEEP);
        p += len;
    }
}

void dump_table_field(const char *text, size_t n, char comma, struct str *out)
{
    struct str safe = STR_INIT;

    add_safe(text, n, comma, &safe);
    bool quoted = comma == ',' && safe.text[strcspn(safe.text, ",\"\r\n")];
    str_adds(out, quoted ? "\"" : "");
    for (size_t i = 0; i < safe.len; i++) {
        str_adds(out, quoted && safe.text[i] == '"' ? "\"" : "");
        str_addc(out, safe.text[i]);
    }
    str_adds(out, quoted ? "\"" : "");
    str_release(&safe);
}

static void add_index(int i, char comma, struct str *out)
{
    if (i >= 0)
        str_addf(out, "%d", i);
    str_addc(out, comma);
}

static void add_text(const struct str *text, char comma, struct str *out)
{
    dump_table_field(text->text, text->len, comma, out);
    str_addc(out, comma);
}

static void add_number(const struct dump_array *a, const void *data, size_t k, struct str *out)
{
    if (a->type == DUMP_I32) {
        str_addf(out, "%d", ((const int32_t *) data)[k]);
        return;
    }
    float x = ((const float *) data)[k];
    if (isnan(x))
        str_adds(out, "nan");
    else if (isinf(x))
        str_adds(out, x < 0 ? "-inf" : "inf");
    else
        str_addf(out, "%.9g", (double) x);
}

/* --- lines --- */

/* An array's lines: what stands before the last axis, and each end that its elements can have.
 */
struct lines {
    const struct dump_array *a;
    struct dump_place place;
    bool whole;  /* the last axis counts keys or channels: its fields are in `tail` */
    char **tail; /* [n_tail] "key,key_token,channel,channel_token," */
    int n_tail;
    struct str head; /* "value,layer,head,pos,token," of the line at hand */
};

/* "4, the,,," or ",,4, the," */
static void add_tail(const struct table *t, const struct lines *l, enum axis axis, int i,
                     struct str *out)
{
    struct str text = STR_INIT;
    const char empty[] = {t->comma, t->comma, '\0'};

    if (axis == AXIS_KEY)
        dump_pos_text(t->job, l->a, i, &text);
    else
        str_adds(out, empty);
    if (axis == AXIS_VOCAB)
        dump_vocab_text(t->job, i, &text);
    if (axis == AXIS_ONE)
        str_adds(out, empty);
    else {
        add_index(i, t->comma, out);
        add_text(&text, t->comma, out);
    }
    if (axis == AXIS_KEY)
        str_adds(out, empty);
    str_release(&text);
}

static void lines_init(struct lines *l, const struct table *t, const struct dump_array *a)
{
    int last = a->n_axis - 1;
    enum axis axis = a->axis[last];

    *l = (struct lines){.a = a, .head = STR_INIT};
    dump_place_of(a, &l->place);
    l->whole = axis != AXIS_POS && !dump_is_heads(axis);
    l->n_tail = l->whole ? a->shape[last] : 1;
    l->tail = xcalloc((size_t) l->n_tail, sizeof *l->tail);
    for (int i = 0; i < l->n_tail; i++) {
        struct str text = STR_INIT;
        add_tail(t, l, l->whole ? axis : AXIS_ONE, dump_index(a, &l->place, last, i), &text);
        l->tail[i] = str_steal(&text);
    }
}

static void lines_release(struct lines *l)
{
    for (int i = 0; i < l->n_tail; i++)
        free(l->tail[i]);
    free(l->tail);
    str_release(&l->head);
}

/* The fields before the tail, for an element of the array in C order. */
static void set_head(struct lines *l, const struct table *t, size_t element)
{
    int head = l->place.head, pos = -1;
    struct str text = STR_INIT;

    for (int x = l->a->n_axis - 1; x >= 0; x--) {
        int i = dump_index(l->a, &l->place, x, (int) (element % (size_t) l->a->shape[x]));
        element /= (size_t) l->a->shape[x];
        if (l->a->axis[x] == AXIS_POS)
            pos = i;
        else if (dump_is_heads(l->a->axis[x]))
            head = i;
    }
    str_clear(&l->head);
    dump_table_field(l->place.value, strlen(l->place.value), t->comma, &l->head);
    str_addc(&l->head, t->comma);
    add_index(l->place.layer, t->comma, &l->head);
    add_index(head, t->comma, &l->head);
    add_index(pos, t->comma, &l->head);
    if (pos >= 0)
        dump_pos_text(t->job, l->a, pos, &text);
    add_text(&text, t->comma, &l->head);
    str_release(&text);
}

static void table_flush(struct table *t)
{
    outfile_write(t->f, t->text.text, t->text.len);
    str_clear(&t->text);
}

static bool write_lines(struct table *t, struct dump_array *a, struct err *err)
{
    const void *data;
    size_t bytes = 0, at = 0;
    struct lines l;
    bool ok;

    if (!dump_array_open(a, err))
        return false;
    lines_init(&l, t, a);
    while ((ok = dump_array_next(a, &data, &bytes, err)) && bytes) {
        for (size_t k = 0; k < bytes / 4; k++, at++) {
            size_t i = at % (size_t) l.n_tail;
            if (i == 0)
                set_head(&l, t, at);
            str_add(&t->text, l.head.text, l.head.len);
            str_adds(&t->text, l.tail[i]);
            add_number(a, data, k, &t->text);
            str_addc(&t->text, '\n');
            if (t->text.len > PIECE)
                table_flush(t);
        }
    }
    lines_release(&l);
    dump_array_close(a);
    return ok;
}

static bool write_table(const struct dump_job *job, struct outfile *f, char comma,
                        struct err *err)
{
    static const char *const column[] = {"value",         "layer", "head",      "pos",
                                         "token",         "key",   "key_token", "channel",
                                         "channel_token", "number"};
    struct table t = {job, f, comma, STR_INIT};
    int values = 0;
    bool ok = true;

    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        str_addf(&t.text, "%.*s%s", i ? 1 : 0, &comma, column[i]);
    str_addc(&t.text, '\n');
    for (int i = 0; i < job->n; i++)
        values += !dump_is_tokens(job, &job->array[i]);
    for (int i = 0; ok && i < job->n; i++) {
        struct dump_array *a = &job->array[i];
        if (values ? !dump_is_tokens(job, a) : a == job->tokens)
            ok = write_lines(&t, a, err);
    }
    table_flush(&t);
    str_release(&t.text);
    return ok;
}

bool dump_csv(const struct dump_job *job, struct outfile *f, struct err *err)
{
    return write_table(job, f, ',', err);
}

bool dump_tsv(const struct dump_job *job, struct outfile *f, struct err *err)
{
    return write_table(job, f, '\t', err);
}
