/* gptscope tokenize and generate. */
#include "ui/tool_input.h"

#include "base/interrupt.h"
#include "command/dump.h"
#include "ui/streams.h"

#include <string.h>
#include <unistd.h>

/* --- tokenize --- */

static int decode_ids(const struct tokenizer *t, const struct tool_args *a, FILE *out,
                      struct err *err)
{
    struct ids ids = IDS_INIT;
    struct str text = STR_INIT;
    int status = tool_ids(a->decode, "decode", &ids, err) ? 0 : 2;
    for (int i = 0; status == 0 && i < ids.n; i++) {
        if (ids.id[i] >= tokenizer_n_vocab(t)) {
            err_set(err, "there is no token %d; ids go from 0 to %d", ids.id[i],
                    tokenizer_n_vocab(t) - 1);
            status = 1;
        }
    }
    if (status == 0) {
        tokenizer_decode(t, ids.id, ids.n, &text);
        if (a->json) {
            struct str json = STR_INIT;
            str_adds(&json, "{\"text\":");
            tool_json_bytes(&json, text.text, text.len);
            str_adds(&json, "}\n");
            tool_put(out, &json);
        } else {
            bool terminal = isatty(fileno(out));
            tool_put_text(out, text.text, text.len, terminal);
            fputs(terminal ? "\n" : "", out);
        }
    }
    str_release(&text);
    ids_release(&ids);
    return status;
}

static void print_json(const struct tokenizer *t, const struct ids *ids, FILE *out)
{
    struct str json = STR_INIT, text = STR_INIT;
    str_adds(&json, "{\"ids\":");
    tool_json_ids(&json, ids->id, ids->n);
    str_adds(&json, ",\"tokens\":[");
    for (int i = 0; i < ids->n; i++) {
        str_clear(&text);
        dump_token_text(t, ids->id[i], &text);
        str_adds(&json, i ? "," : "");
        tool_json_bytes(&json, text.text, text.len);
    }
    str_adds(&json, "]}\n");
    str_release(&text);
    tool_put(out, &json);
}

static void print_lines(const struct tokenizer *t, const struct ids *ids, FILE *out)
{
    char label[256];
    struct str text = STR_INIT;
    for (int i = 0; i < ids->n; i++)
        str_addf(&text, "%7d  %s\n", ids->id[i],
                 tokenizer_label(t, ids->id[i], label, sizeof label));
    tool_put(out, &text);
}

static int encode_text(const struct tokenizer *t, const struct tool_args *a, FILE *out,
                       struct err *err)
{
    struct str text = STR_INIT;
    struct ids ids = IDS_INIT;
    int status = 0, flags = TOKENIZE_SPECIAL | (a->no_bos ? 0 : TOKENIZE_BOS);
    if (!tool_text(a, &text, err))
        status = a->n_rest + (a->prompt != NULL) == 1 ? 1 : 2; /* unreadable, or no text */
    else if (!tokenizer_encode(t, text.text, text.len, flags, &ids, err))
        status = 1;
    else if (a->json)
        print_json(t, &ids, out);
    else
        print_lines(t, &ids, out);
    str_release(&text);
    ids_release(&ids);
    return status;
}

int tool_tokenize(const struct tool_args *a, FILE *out, struct err *err)
{
    if (a->decode && tool_has_text(a)) {
        err_set(err, "a text and --decode are given; one of them at a time");
        return 2;
    }
    struct tokenizer *t = tokenizer_open(tool_model(a, false), err);
    if (!t)
        return 1;
    int status = a->decode ? decode_ids(t, a, out, err) : encode_text(t, a, out, err);
    tokenizer_free(t);
    return status;
}

/* --- generate --- */

/* Text on its way out: printed as it comes, or collected for JSON. */
struct stream {
    struct decoder decoder;
    struct ids ids;
    struct str text;
    FILE *out; /* NULL: JSON */
    bool terminal;
};

static bool stream_flush(struct stream *s, struct err *err)
{
    if (!s->out)
        return true;
    tool_put_text(s->out, s->text.text, s->text.len, s->terminal);
    str_clear(&s->text);
    return streams_end(err);
}

static bool stream_tokens(struct stream *st, struct session *s, int n, struct err *err)
{
    for (int i = 0; i < n; i++) {
        int id;
        if (interrupt_pending())
            return err_set(err, "interrupted after %d of %d tokens", i, n);
        if (!session_generate(s, &id, err)) {
            if (interrupt_pending())
                return err_set(err, "interrupted after %d of %d tokens", i, n);
            return err_add(err, "stopped after %d of %d tokens", i, n);
        }
        ids_add(&st->ids, id);
        if (tokenizer_is_end(s->tokenizer, id) && !s->set.ignore_eos)
            break;
        decoder_feed(&st->decoder, id, &st->text);
        if (!stream_flush(st, err))
            return false;
    }
    return true;
}

static void print_result(const struct session *s, const struct stream *st, FILE *out)
{
    struct str json = STR_INIT;
    str_adds(&json, "{\"prompt_ids\":");
    tool_json_ids(&json, s->ids.id, s->n_prompt);
    str_adds(&json, ",\"ids\":");
    tool_json_ids(&json, st->ids.id, st->ids.n);
    str_adds(&json, ",\"text\":");
    tool_json_bytes(&json, st->text.text, st->text.len);
    str_adds(&json, "}\n");
    tool_put(out, &json);
}

static int generate(struct session *s, const struct tool_args *a, FILE *out, struct err *err)
{
    struct stream st = {.ids = IDS_INIT, .text = STR_INIT, .out = a->json ? NULL : out};
    st.terminal = isatty(fileno(out));
    decoder_init_after(&st.decoder, s->tokenizer, s->ids.id[s->ids.n - 1]);
    bool ok = stream_tokens(&st, s, a->n < 0 ? TOOL_N : a->n, err);
    decoder_finish(&st.decoder, &st.text);
    if (a->json)
        print_result(s, &st, out);
    else
        tool_put_text(out, st.text.text, st.text.len, st.terminal);
    if (!a->json && st.terminal)
        fputc('\n', out);
    str_release(&st.text);
    ids_release(&st.ids);
    return ok ? 0 : 1;
}

int tool_generate(const struct tool_args *a, FILE *out, struct err *err)
{
    struct tool_session t;
    tool_catch_interrupt();
    int status = tool_open(&t, a, err);
    if (status == 0)
        status = generate(t.session, a, out, err);
    tool_close(&t);
    return status;
}
