/* Completion of tokens: those of the prompt, and those of the vocabulary that begin so. */
#include "command/complete.h"

#include "command/place.h"

#include <string.h>

enum { MOST = 64 }; /* of the vocabulary */

/* A token as it may be typed: in quotes, or with a middle dot for a blank as labels show it. */
static bool written(const struct completing *x, int id, struct str *out)
{
    const char *bytes;
    char label[64];
    size_t n;
    bool dots = !x->quoted && x->n_typed > 0;

    str_clear(out);
    if (!tokenizer_bytes(x->s->tokenizer, id, &bytes, &n) || n == 0)
        return false;
    if (dots && n < sizeof label / 3)
        str_adds(out, tokenizer_label(x->s->tokenizer, id, label, sizeof label));
    else if (!dots && (x->quoted || memchr(bytes, ' ', n)))
        quote_print(bytes, n, out);
    else
        str_add(out, bytes, n);
    return out->len > 0 && !memchr(out->text, '\0', out->len) && !strchr("#\n", *out->text);
}

/* What is offered must be read back as this token. */
static bool reads_back(const struct completing *x, int id, const char *text)
{
    struct err unheard = ERR_INIT;
    struct words w;
    size_t at = 0;
    int got = -1;

    bool ok = words_next(&w, text, &at, &unheard) && w.n == 1 && !text[at] &&
              token_parse(x->s, w.item[0].text, w.item[0].quoted, &got, &unheard);
    words_release(&w);
    return ok && got == id;
}

static bool offer_token(struct completing *x, int id, struct str *text)
{
    if (!written(x, id, text) || strncmp(text->text, x->typed, x->n_typed) ||
        !reads_back(x, id, text->text))
        return false;
    offer_literal(x, text->text);
    return true;
}

void offer_tokens(struct completing *x)
{
    const struct session *s = x->s;
    struct str text = STR_INIT;
    int n_vocab = tokenizer_n_vocab(s->tokenizer), found = 0;

    for (int i = 0; i < s->ids.n; i++)
        offer_token(x, s->ids.id[i], &text);
    if (*x->plain)
        for (int id = 0; id < n_vocab && found < MOST; id++)
            found += offer_token(x, id, &text);
    str_release(&text);
}
