#include "session/settings.h"

#include "base/near.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const scale_words[] = {"linear", "sqrt", "log", "row-max", NULL};
static const char *const lens_words[] = {"probability", "rank", "kl", "entropy", NULL};
static const char *const logits_words[] = {"last", "cursor", NULL};
static const char *const speed_words[] = {"0.5", "1", "2", "4", "8", "15", "30", NULL};
static const char *const zoom_words[] = {"fit", "pixels", "numbers", NULL};
static const char *const heads_words[] = {"thumbs",    "job",       "entropy",   "max",
                                          "previous",  "induction", "duplicate", "sink",
                                          "strongest", NULL};
static const char *const color_words[] = {"auto", "never", "always", "256", "truecolor", NULL};
static const char *const lang_words[] = {"en", "zh", NULL};
static const char *const theme_words[] = {"viridis", "cividis", "grey", NULL};
static const char *const bool_words[] = {"on", "off", NULL};

#define SPEED_DEFAULT 3 /* of speed_words: 4 a second */
#define FIELD(f)      offsetof(struct settings, f), sizeof(((struct settings *) 0)->f)
#define EXACT_MAX     9007199254740991.0 /* whole numbers up to here are exact as a double */

// clang-format off
const struct setting setting_table[] = {
    {"temp", SETTING_REAL, FIELD(sampler.temp), 0, 100, NULL,
     "sampling temperature: logits are divided by it; 0 always takes the most likely token",
     "set temp 0.8"},
    {"top-k", SETTING_INT, FIELD(sampler.top_k), 0, 10000000, NULL,
     "sample from the k most likely tokens only; 0 is off", "set top-k 40"},
    {"top-p", SETTING_REAL, FIELD(sampler.top_p), 0, 1, NULL,
     "sample from the most likely tokens that together reach this probability; 1 is off",
     "set top-p 0.9"},
    {"min-p", SETTING_REAL, FIELD(sampler.min_p), 0, 1, NULL,
     "leave out tokens less likely than this share of the most likely one; 0 is off",
     "set min-p 0.05"},
    {"seed", SETTING_INT, FIELD(seed), 0, EXACT_MAX, NULL,
     "start of the random numbers: the same seed gives the same tokens", "set seed 7"},
    {"ignore-eos", SETTING_BOOL, FIELD(ignore_eos), 0, 0, bool_words,
     "go on generating after the end-of-text token", "set ignore-eos on"},
    {"ctx", SETTING_INT, FIELD(ctx), 0, 16777216, NULL,
     "context length in tokens; 0 takes the model's", "set ctx 128"},
    {"chunk", SETTING_INT, FIELD(chunk), 0, 16777216, NULL,
     "most tokens that go through the model in one pass; 0 is 512; 1 steps token by token",
     "set chunk 1"},
    {"threads", SETTING_INT, FIELD(threads), 0, 1024, NULL,
     "threads for the computation; 0 takes all cores", "set threads 2"},
    {"scale", SETTING_ENUM, FIELD(scale), 0, 0, scale_words,
     "how attention weights become colours", "set scale sqrt"},
    {"hide-sink", SETTING_BOOL, FIELD(hide_sink), 0, 0, bool_words,
     "leave the first token out of attention maps and renormalise the rest",
     "set hide-sink on"},
    {"lens", SETTING_ENUM, FIELD(lens), 0, 0, lens_words,
     "what the colours of the logit lens say: the top token's probability, the rank of the "
     "model's final choice, KL(final | lens), or the entropy", "set lens rank"},
    {"logits-at", SETTING_ENUM, FIELD(logits_at), 0, 0, logits_words,
     "the candidates shown follow the last computed token, or the cursor's",
     "set logits-at cursor"},
    {"merges", SETTING_BOOL, FIELD(merges), 0, 0, bool_words,
     "show in the tokens view how the cursor's word is merged from its first pieces",
     "set merges on"},
    {"speed", SETTING_ENUM, FIELD(speed), 0, 0, speed_words,
     "operations a second that play steps", "set speed 8"},
    {"zoom", SETTING_ENUM, FIELD(zoom), 0, 0, zoom_words,
     "the attention map: all of it, or a window around the cursor, a pixel a value or in numbers",
     "set zoom numbers"},
    {"heads", SETTING_ENUM, FIELD(heads), 0, 0, heads_words,
     "what the overview shows of each head: a picture, its job, or one of its numbers",
     "set heads induction"},
    {"theme", SETTING_WORD, FIELD(theme), 0, 0, theme_words,
     "colours of the screen and of the maps", "set theme cividis"},
    {"color", SETTING_ENUM, FIELD(color), 0, 0, color_words,
     "when and how many colours are used", "set color 256"},
    {"ascii", SETTING_BOOL, FIELD(ascii), 0, 0, bool_words,
     "draw with ASCII characters only", "set ascii on"},
    {"mouse", SETTING_BOOL, FIELD(mouse), 0, 0, bool_words,
     "clicks, wheel and pointer are for the screen; off leaves them to the terminal",
     "set mouse off"},
    {"lang", SETTING_ENUM, FIELD(lang), 0, 0, lang_words,
     "language of the lessons, the exercises and the checklist", "set lang zh"},
    {NULL, SETTING_INT, 0, 0, 0, 0, NULL, NULL, NULL},
};
// clang-format on

void settings_init(struct settings *s)
{
    memset(s, 0, sizeof *s);
    s->sampler.temp = 1;
    s->sampler.top_p = 1;
    s->scale = SCALE_SQRT;
    s->speed = SPEED_DEFAULT;
    s->mouse = true;
    strcpy(s->theme, theme_words[0]);
}

double settings_speed(const struct settings *s)
{
    return atof(speed_words[s->speed]);
}

const struct setting *setting_find(const char *name)
{
    for (const struct setting *row = setting_table; row->name; row++)
        if (!strcmp(row->name, name))
            return row;
    return NULL;
}

void settings_allowed(const struct setting *row, struct str *out)
{
    if (row->type == SETTING_INT)
        str_addf(out, "a whole number from %.0f to %.0f", row->lo, row->hi);
    if (row->type == SETTING_REAL)
        str_addf(out, "a number from %g to %g", row->lo, row->hi);
    for (int i = 0; row->words && row->words[i]; i++) {
        if (i > 0)
            str_adds(out, row->words[i + 1] ? ", " : " or ");
        str_adds(out, row->words[i]);
    }
}

static void *field(struct settings *s, const struct setting *row)
{
    return (char *) s + row->offset;
}

static int64_t load_int(const struct settings *s, const struct setting *row)
{
    const void *at = (const char *) s + row->offset;
    int64_t wide = 0;
    int narrow = 0;

    if (row->size == sizeof wide) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

static void store_int(struct settings *s, const struct setting *row, int64_t v)
{
    int narrow = (int) v;

    if (row->size == sizeof v)
        memcpy(field(s, row), &v, sizeof v);
    else
        memcpy(field(s, row), &narrow, sizeof narrow);
}

/* Index of the word that text is, or -1. */
static int word_index(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++)
        if (!strcasecmp(words[i], text))
            return i;
    return -1;
}

static int parse_bool(const char *text)
{
    static const char *const yes[] = {"on", "true", "yes", "1", NULL};
    static const char *const no[] = {"off", "false", "no", "0", NULL};

    if (word_index(yes, text) >= 0)
        return 1;
    return word_index(no, text) >= 0 ? 0 : -1;
}

static bool parse_int(const char *text, const struct setting *row, int64_t *v)
{
    char *end;

    errno = 0;
    long long x = strtoll(text, &end, 10);
    *v = x;
    return end != text && *end == '\0' && errno == 0 && (double) x >= row->lo &&
           (double) x <= row->hi;
}

static bool parse_real(const char *text, const struct setting *row, double *v)
{
    char *end;

    *v = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*v) && *v >= row->lo && *v <= row->hi;
}

static bool store(struct settings *s, const struct setting *row, const char *text)
{
    int64_t i = 0;
    double x = 0;

    switch (row->type) {
    case SETTING_INT:
        if (!parse_int(text, row, &i))
            return false;
        store_int(s, row, i);
        return true;
    case SETTING_REAL:
        if (!parse_real(text, row, &x))
            return false;
        memcpy(field(s, row), &x, sizeof x);
        return true;
    case SETTING_BOOL:
        if (parse_bool(text) < 0)
            return false;
        *(bool *) field(s, row) = parse_bool(text) == 1;
        return true;
    case SETTING_ENUM:
    case SETTING_WORD:
        i = word_index(row->words, text);
        if (i < 0)
            return false;
        if (row->type == SETTING_WORD)
            strcpy(field(s, row), row->words[i]);
        else
            store_int(s, row, i);
        return true;
    }
    return false;
}

static bool unknown_name(const char *name, struct err *err)
{
    struct str names = STR_INIT;

    for (const struct setting *row = setting_table; row->name; row++)
        str_addf(&names, "%s%s", row == setting_table ? "" : ", ", row->name);
    err_set(err, "there is no setting '%s'; the settings are %s", name, names.text);
    str_release(&names);
    return false;
}

bool settings_set(struct settings *s, const char *name, const char *text, struct err *err)
{
    const struct setting *row = setting_find(name);
    struct str allowed = STR_INIT;
    struct near near;

    if (!row)
        return unknown_name(name, err);
    if (store(s, row, text))
        return true;
    settings_allowed(row, &allowed);
    near_init(&near, text);
    for (int i = 0; row->words && row->words[i]; i++)
        near_try(&near, row->words[i]);
    if (near_best(&near))
        err_set(err, "%s takes %s, not '%s'; did you mean '%s'?", name, allowed.text, text,
                near_best(&near));
    else
        err_set(err, "%s takes %s, not '%s'", name, allowed.text, text);
    str_release(&allowed);
    return false;
}

void settings_print(const struct settings *s, const struct setting *row, struct str *out)
{
    const char *at = (const char *) s + row->offset;
    double x;

    switch (row->type) {
    case SETTING_INT:
        str_addf(out, "%" PRId64, load_int(s, row));
        break;
    case SETTING_REAL:
        memcpy(&x, at, sizeof x);
        str_addf(out, "%.10g", x);
        break;
    case SETTING_BOOL:
        str_adds(out, *(const bool *) at ? "on" : "off");
        break;
    case SETTING_ENUM:
        str_adds(out, row->words[load_int(s, row)]);
        break;
    case SETTING_WORD:
        str_adds(out, at);
        break;
    }
}

void settings_reset(struct settings *s, const struct setting *row)
{
    struct settings fresh;

    settings_init(&fresh);
    memcpy(field(s, row), (char *) &fresh + row->offset, row->size);
}

bool settings_cycle(struct settings *s, const struct setting *row)
{
    if (row->type == SETTING_BOOL) {
        bool *b = field(s, row);
        *b = !*b;
        return true;
    }
    if (!row->words)
        return false;
    int i = row->type == SETTING_WORD ? word_index(row->words, field(s, row))
                                      : (int) load_int(s, row);
    i = row->words[i + 1] ? i + 1 : 0;
    if (row->type == SETTING_WORD)
        strcpy(field(s, row), row->words[i]);
    else
        store_int(s, row, i);
    return true;
}
