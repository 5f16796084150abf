/* Ids to text, all at once or as they come. */
#include "base/utf8.h"
#include "text/tokenizer_state.h"

#include <string.h>

/* The bytes of the next token, without the space that SentencePiece's encoding puts before a
 * stretch of text: at the beginning and, mostly, after a special token. Byte-level decoders
 * keep the one that their encoding puts there. */
static void add_bytes(const struct tokenizer *t, int id, bool *begun, struct str *out)
{
    const struct vocab *v = &t->vocab;
    size_t n;
    const char *bytes = vocab_bytes(v, id, &n);

    if (vocab_is_added(v, id)) {
        *begun = v->prefix_once;
    } else if (n > 0) {
        bool put = v->kind == VOCAB_CHARS && v->prefix != PREFIX_NONE;
        size_t drop = !*begun && put && bytes[0] == ' ';
        bytes += drop;
        n -= drop;
        *begun = true;
    }
    str_add(out, bytes, n);
}

void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, int n, struct str *out)
{
    bool begun = false;

    for (int i = 0; i < n; i++)
        add_bytes(t, ids[i], &begun, out);
}

void decoder_init(struct decoder *d, const struct tokenizer *t)
{
    memset(d, 0, sizeof *d);
    d->tokenizer = t;
}

void decoder_init_after(struct decoder *d, const struct tokenizer *t, int last)
{
    decoder_init(d, t);
    d->begun = !vocab_is_added(&t->vocab, last) || t->vocab.prefix_once;
}

static void replace(struct str *out)
{
    str_adds(out, "\xef\xbf\xbd");
}

/* Whole characters; U+FFFD for each byte that is none; the beginning of one at the end is held.
 */
static void add_whole(struct decoder *d, const char *bytes, size_t n, struct str *out)
{
    size_t tail = utf8_tail(bytes, n), i = 0;

    while (i < n - tail) {
        uint32_t cp;
        int len = utf8_decode(bytes + i, n - i, &cp);
        if (len > 0)
            str_add(out, bytes + i, (size_t) len);
        else
            replace(out);
        i += len > 0 ? (size_t) len : 1;
    }
    memcpy(d->held, bytes + n - tail, tail);
    d->n_held = (int) tail;
}

void decoder_feed(struct decoder *d, int id, struct str *out)
{
    struct str all = STR_INIT;

    str_add(&all, d->held, (size_t) d->n_held);
    add_bytes(d->tokenizer, id, &d->begun, &all);
    add_whole(d, all.text, all.len, out);
    str_release(&all);
}

void decoder_finish(struct decoder *d, struct str *out)
{
    if (d->n_held > 0)
        replace(out);
    d->n_held = 0;
}
