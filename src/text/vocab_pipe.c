/*
 * What a tokenizer.json does before and after its model: normalizer, pre-tokenizer and
 * post-processor. Each kind of step is a row; a step that is not in the table is refused.
 */
#include "base/json.h"
#include "text/vocab.h"

#include <string.h>

static const char metaspace[] = "\xe2\x96\x81"; /* U+2581 */

typedef bool step_reader(struct vocab *v, const json_t *o, struct err *err);

struct step {
    const char *type;
    step_reader *read;
};

static const char *type_of(const json_t *o)
{
    const char *type = json_string_value(json_object_get(o, "type"));

    return type ? type : "";
}

static bool read_step(struct vocab *v, const json_t *o, const char *what,
                      const struct step *step, struct err *err)
{
    for (; step->type; step++) {
        if (strcmp(step->type, type_of(o)) == 0)
            return step->read(v, o, err);
    }
    return err_set(err, "the %s is of type '%.60s', which is not supported", what, type_of(o));
}

/* A Sequence's members, or the step itself. */
static bool read_each(struct vocab *v, const json_t *root, const char *what,
                      const struct step *step, const char *list, struct err *err)
{
    const json_t *o = json_object_get(root, what), *member;
    size_t i;

    if (!o || json_is_null(o))
        return true;
    if (!json_is_object(o))
        return err_set(err, "the %s is not an object", what);
    if (strcmp(type_of(o), "Sequence") != 0)
        return read_step(v, o, what, step, err);
    if (!json_is_array(json_object_get(o, list)))
        return err_set(err, "the %s's '%s' is not a list", what, list);
    json_array_foreach(json_object_get(o, list), i, member)
    {
        if (!json_is_object(member))
            return err_set(err, "a step of the %s is not an object", what);
        if (!read_step(v, member, what, step, err))
            return false;
    }
    return true;
}

/* --- normalizer --- */

static bool normalize_nfc(struct vocab *v, const json_t *o, struct err *err)
{
    (void) o;
    (void) err;
    v->nfc = true;
    return true;
}

/* Steps that write spaces as U+2581 belong to SentencePiece's way. */
static bool needs_chars(const struct vocab *v, const json_t *o, struct err *err)
{
    return v->kind == VOCAB_CHARS ||
           err_set(err, "%s in a byte-level tokenizer is not supported", type_of(o));
}

static bool normalize_prepend(struct vocab *v, const json_t *o, struct err *err)
{
    const char *text;

    if (!needs_chars(v, o, err) || !json_need_string(o, "prepend", &text, err))
        return false;
    if (strcmp(text, metaspace) != 0)
        return err_set(err, "the normalizer prepends another text than U+2581");
    v->prefix = PREFIX_ALWAYS;
    return true;
}

/* " " -> U+2581: what our characters do anyway, as a space stays a space. */
static bool normalize_replace(struct vocab *v, const json_t *o, struct err *err)
{
    const char *from =
        json_string_value(json_object_get(json_object_get(o, "pattern"), "String"));
    const char *to;

    if (!needs_chars(v, o, err) || !json_need_string(o, "content", &to, err))
        return false;
    if (!from || strcmp(from, " ") != 0 || strcmp(to, metaspace) != 0)
        return err_set(err, "the normalizer replaces something else than spaces");
    return true;
}

/* --- pre-tokenizer --- */

static bool split_byte_level(struct vocab *v, const json_t *o, struct err *err)
{
    bool prefix = false, regex = true;

    if (!json_may_bool(o, "add_prefix_space", &prefix, err) ||
        !json_may_bool(o, "use_regex", &regex, err))
        return false;
    if (prefix && v->n_splits > 0)
        return err_set(err, "the pre-tokenizer adds a space to pieces, which is not supported");
    if (prefix)
        v->prefix = PREFIX_UNLESS_SPACE;
    return !regex || vocab_add_split(v, regex_gpt2, err);
}

static bool add_split(struct vocab *v, const json_t *o, const char *regex, struct err *err)
{
    if (v->kind != VOCAB_BYTES)
        return err_set(err, "%s before SentencePiece's merging is not supported", type_of(o));
    return vocab_add_split(v, regex, err);
}

static bool split_regex(struct vocab *v, const json_t *o, struct err *err)
{
    const char *regex =
        json_string_value(json_object_get(json_object_get(o, "pattern"), "Regex"));
    const char *behavior = "Isolated";
    bool invert = false;

    if (!json_may_string(o, "behavior", &behavior, err) ||
        !json_may_bool(o, "invert", &invert, err))
        return false;
    if (!regex)
        return err_set(err, "the pre-tokenizer's Split has no regex");
    bool removed = strcmp(behavior, "Removed") == 0 && invert;
    if (!removed && (strcmp(behavior, "Isolated") != 0 || invert))
        return err_set(err,
                       "the pre-tokenizer's Split behaves as '%.40s', which is not supported",
                       behavior);
    return add_split(v, o, regex, err);
}

static bool split_digits(struct vocab *v, const json_t *o, struct err *err)
{
    bool single = false;

    if (!json_may_bool(o, "individual_digits", &single, err))
        return false;
    return add_split(v, o, single ? "\\p{N}" : "\\p{N}+", err);
}

static bool split_metaspace(struct vocab *v, const json_t *o, struct err *err)
{
    const char *scheme = NULL, *mark = metaspace;
    bool prefix = true, split = true;

    if (!needs_chars(v, o, err) || !json_may_string(o, "prepend_scheme", &scheme, err) ||
        !json_may_bool(o, "add_prefix_space", &prefix, err) ||
        !json_may_bool(o, "split", &split, err))
        return false;
    if (!json_may_string(o, "replacement", &mark, err))
        return false;
    if (strcmp(mark, metaspace) != 0)
        return err_set(
            err, "the pre-tokenizer writes spaces as '%.20s', which is not supported", mark);
    if (scheme)
        prefix = strcmp(scheme, "never") != 0;
    v->prefix = prefix ? PREFIX_UNLESS_SPACE : PREFIX_NONE;
    v->prefix_once = scheme && strcmp(scheme, "first") == 0;
    v->split_metaspace = split;
    return true;
}

/* --- post-processor: does it put a BOS first? --- */

static bool post_nothing(struct vocab *v, const json_t *o, struct err *err)
{
    (void) v;
    (void) o;
    (void) err;
    return true;
}

static bool post_template(struct vocab *v, const json_t *o, struct err *err)
{
    const json_t *first = json_array_get(json_object_get(o, "single"), 0);
    const char *text =
        json_string_value(json_object_get(json_object_get(first, "SpecialToken"), "id"));
    const json_t *ids = json_object_get(
        json_object_get(json_object_get(o, "special_tokens"), text ? text : ""), "ids");

    (void) err;
    if (text && json_is_integer(json_array_get(ids, 0))) {
        json_int_t id = json_integer_value(json_array_get(ids, 0));
        if (id >= 0 && id < v->n) {
            v->bos = (int) id;
            v->add_bos = true;
        }
    }
    return true;
}

static const struct step normalizers[] = {{"NFC", normalize_nfc},
                                          {"Prepend", normalize_prepend},
                                          {"Replace", normalize_replace},
                                          {NULL, NULL}};
static const struct step pre_tokenizers[] = {{"ByteLevel", split_byte_level},
                                             {"Split", split_regex},
                                             {"Digits", split_digits},
                                             {"Metaspace", split_metaspace},
                                             {NULL, NULL}};
static const struct step post_processors[] = {
    {"ByteLevel", post_nothing}, {"TemplateProcessing", post_template}, {NULL, NULL}};

/* Byte-level when the pre-tokenizer, or the decoder, has such a step. */
static bool has_step(const json_t *o, const char *list, const char *type)
{
    const json_t *member;
    size_t i;

    if (strcmp(type_of(o), type) == 0)
        return true;
    json_array_foreach(json_object_get(o, list), i, member)
    {
        if (strcmp(type_of(member), type) == 0)
            return true;
    }
    return false;
}

bool vocab_json_kind(const json_t *root, enum vocab_kind *kind, struct err *err)
{
    const json_t *pre = json_object_get(root, "pre_tokenizer");
    const json_t *decoder = json_object_get(root, "decoder");
    bool fallback = false;

    if (!json_may_bool(json_object_get(root, "model"), "byte_fallback", &fallback, err))
        return false;
    bool bytes = has_step(pre, "pretokenizers", "ByteLevel") ||
                 has_step(decoder, "decoders", "ByteLevel");
    bool chars = fallback || has_step(pre, "pretokenizers", "Metaspace");
    *kind = bytes ? VOCAB_BYTES : VOCAB_CHARS;
    return bytes || chars ||
           err_set(err, "the tokenizer is neither byte-level nor like SentencePiece's, and "
                        "other kinds are not supported");
}

bool vocab_json_pipe(struct vocab *v, const json_t *root, struct err *err)
{
    return read_each(v, root, "normalizer", normalizers, "normalizers", err) &&
           read_each(v, root, "pre_tokenizer", pre_tokenizers, "pretokenizers", err) &&
           read_each(v, root, "post_processor", post_processors, "processors", err);
}
