/* Finding: text in the tokens, names of values and ops, then what help says. */
#include "command/commands.h"

#include "base/mem.h"
#include "base/safe.h"
#include "base/utf8.h"
#include "command/data.h"
#include "command/keys.h"
#include "command/place.h"
#include "view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

enum match_kind { MATCH_TOKEN, MATCH_VALUE, MATCH_OP, MATCH_COMMAND, MATCH_KEY, MATCH_SETTING };

struct match {
    enum match_kind kind;
    int i; /* token, value, op, or row of its table */
};

struct matches {
    struct match *item;
    int n, cap;
    struct str needle;
    bool exact; /* upper case in the text: it must be there as it stands */
};

/* --- comparing --- */

/* Adds text in small letters; bytes that are not UTF-8 as they are. */
static void add_small(struct str *out, const char *text, size_t n)
{
    char bytes[4];

    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = utf8_decode(text + i, n - i, &cp);
        if (len > 0)
            str_add(out, bytes,
                    (size_t) utf8_encode((uint32_t) utf8proc_tolower((utf8proc_int32_t) cp),
                                         bytes));
        else
            str_addc(out, text[i]);
        i += len > 0 ? (size_t) len : 1;
    }
}

static void add_text(const struct matches *m, struct str *out, const char *text, size_t n)
{
    if (m->exact)
        str_add(out, text, n);
    else
        add_small(out, text, n);
}

static void matches_init(struct matches *m, const char *text)
{
    *m = (struct matches){.needle = STR_INIT};
    add_small(&m->needle, text, strlen(text));
    m->exact = strcmp(m->needle.text, text) != 0;
    str_clear(&m->needle);
    str_adds(&m->needle, text);
}

static void matches_release(struct matches *m)
{
    free(m->item);
    str_release(&m->needle);
}

static bool holds(const struct matches *m, const char *text)
{
    struct str small = STR_INIT;

    add_text(m, &small, text, strlen(text));
    bool found = strstr(small.text, m->needle.text) != NULL;
    str_release(&small);
    return found;
}

static void add(struct matches *m, enum match_kind kind, int i)
{
    VEC_ROOM(m->item, m->n, m->cap);
    m->item[m->n++] = (struct match){kind, i};
}

/* --- where to look --- */

/* In the whole text, so that what spans tokens is found; the match is the token it begins in,
 * or the one after when it begins with that one's blank. */
static void find_tokens(struct matches *m, const struct session *s)
{
    struct str text = STR_INIT;
    size_t *end = xcalloc((size_t) s->ids.n + 1, sizeof *end);
    int token = 0, last = -1;

    for (int i = 0; i < s->ids.n; i++) {
        const char *bytes;
        size_t n;
        tokenizer_bytes(s->tokenizer, s->ids.id[i], &bytes, &n);
        add_text(m, &text, bytes, n);
        end[i] = text.len;
    }
    for (size_t at = 0; at + m->needle.len <= text.len; at++) {
        while (token < s->ids.n && end[token] <= at)
            token++;
        if (token == last || memcmp(text.text + at, m->needle.text, m->needle.len))
            continue;
        add(m, MATCH_TOKEN, token);
        last = token;
    }
    free(end);
    str_release(&text);
}

static void find_names(struct matches *m, const struct session *s)
{
    const struct program *p = s->program;
    struct str name = STR_INIT;

    for (int i = 0; i < p->n_values; i++)
        if (holds(m, p->value[i].name))
            add(m, MATCH_VALUE, i);
    for (int i = 0; i < p->n_steps; i++) {
        str_clear(&name);
        op_name(p, i, &name);
        if (holds(m, name.text))
            add(m, MATCH_OP, i);
    }
    str_release(&name);
}

static void find_help(struct matches *m)
{
    for (int i = 0; command_table[i].name; i++)
        if (holds(m, command_table[i].name) || holds(m, command_table[i].help))
            add(m, MATCH_COMMAND, i);
    for (int i = 0; key_table[i].key; i++)
        if (holds(m, key_table[i].help))
            add(m, MATCH_KEY, i);
    for (int i = 0; setting_table[i].name; i++)
        if (holds(m, setting_table[i].name) || holds(m, setting_table[i].help))
            add(m, MATCH_SETTING, i);
}

static void find_all(struct matches *m, const struct session *s)
{
    if (s->ids.n > 0)
        find_tokens(m, s);
    find_names(m, s);
    find_help(m);
}

/* --- going there --- */

static void print_match(const struct session *s, const struct match *m, struct str *out)
{
    char label[64];

    switch (m->kind) {
    case MATCH_TOKEN:
        tokenizer_label(s->tokenizer, s->ids.id[m->i], label, sizeof label);
        str_addf(out, "token %d %s", m->i, label);
        break;
    case MATCH_VALUE:
        str_addf(out, "value %s", s->program->value[m->i].name);
        break;
    case MATCH_OP:
        str_addf(out, "op %d ", m->i);
        op_name(s->program, m->i, out);
        break;
    case MATCH_COMMAND:
        str_addf(out, "command %s", command_table[m->i].name);
        break;
    case MATCH_KEY:
        str_addf(out, "key %s: %s", key_table[m->i].key, key_table[m->i].help);
        break;
    case MATCH_SETTING:
        str_addf(out, "setting %s: %s", setting_table[m->i].name, setting_table[m->i].help);
        break;
    }
    str_addc(out, '\n');
}

static json_t *match_data(const struct session *s, const struct matches *all, int i)
{
    static const char *const kind[] = {"token", "value", "op", "command", "key", "setting"};
    const struct match *m = &all->item[i];
    json_t *o = json_pack("{s:i, s:i, s:s}", "match", i + 1, "n_matches", all->n, "kind",
                          kind[m->kind]);

    switch (m->kind) {
    case MATCH_TOKEN:
        return data_join(o, data_token_at(s, m->i));
    case MATCH_VALUE:
        return data_join(o, data_value_name(s->program, m->i, -1));
    case MATCH_OP:
        return data_join(o, data_op(s, m->i));
    case MATCH_COMMAND:
        json_object_set_new(o, "name", json_string(command_table[m->i].name));
        break;
    case MATCH_KEY:
        json_object_set_new(o, "name", json_string(key_table[m->i].key));
        break;
    case MATCH_SETTING:
        json_object_set_new(o, "name", json_string(setting_table[m->i].name));
        break;
    }
    return o;
}

static void go(struct command_env *env, const struct match *m)
{
    struct screen *st = env->screen;

    if (m->kind == MATCH_TOKEN) {
        env->session->at.query = m->i;
        session_clamp(env->session);
    } else if (m->kind == MATCH_VALUE) {
        st->value = m->i;
        screen_open(st, view_find("tensor"), env->screen_w, env->screen_h);
    } else if (m->kind == MATCH_OP) {
        st->op = m->i;
        screen_open(st, view_find("program"), env->screen_w, env->screen_h);
    } else if (m->kind == MATCH_COMMAND) {
        command_help(&command_table[m->i], env->fold, env->out);
    }
}

static void show_match(struct command_env *env, const struct matches *m, int i)
{
    env->screen->search.at = i;
    if (result_wanted(env)) /* going there must not print help: it would not be seen */
        result_put(env, match_data(env->session, m, i));
    str_addf(env->out, "match %d of %d: ", i + 1, m->n);
    print_match(env->session, &m->item[i], env->out);
    go(env, &m->item[i]);
}

/* From the cursor on: the token it is on counts as a match that comes next. */
static int begin_at(const struct matches *m, const struct session *s, bool previous)
{
    int i = 0;

    while (i < m->n && m->item[i].kind == MATCH_TOKEN && m->item[i].i < s->at.query)
        i++;
    if (previous)
        return i > 0 ? i - 1 : m->n - 1;
    return i < m->n && m->item[i].kind == MATCH_TOKEN ? i : 0;
}

static bool no_match(struct command_env *env, const char *text, struct err *err)
{
    struct str safe = STR_INIT;

    safe_add(&safe, text, strlen(text), SAFE_SPACE_KEEP);
    err_set(err, "'%s' is in no token, value, op, command, key or setting", safe.text);
    str_release(&safe);
    env->screen->search.active = false;
    return false;
}

bool cmd_find(struct command_env *env, const struct arg *arg, struct err *err)
{
    struct search *search = &env->screen->search;
    struct matches m;

    if (!*arg[0].text || strlen(arg[0].text) >= sizeof search->text)
        return err_set(err, "find takes a text of 1 to %zu bytes", sizeof search->text - 1);
    matches_init(&m, arg[0].text);
    find_all(&m, env->session);
    bool ok = m.n > 0 || no_match(env, arg[0].text, err);
    if (ok) {
        search->active = true;
        strcpy(search->text, arg[0].text);
        show_match(env, &m, begin_at(&m, env->session, arg[1].given && arg[1].i == 1));
    }
    matches_release(&m);
    return ok;
}

bool cmd_match(struct command_env *env, const struct arg *arg, struct err *err)
{
    enum { NEXT, PREVIOUS, END };
    struct search *search = &env->screen->search;
    struct matches m;

    if (!search->active)
        return err_set(err, "nothing is searched; find TEXT does");
    if (arg[0].given && arg[0].i == END) {
        search->active = false;
        return true;
    }
    matches_init(&m, search->text);
    find_all(&m, env->session);
    bool ok = m.n > 0 || no_match(env, search->text, err);
    if (ok) {
        int by = arg[0].given && arg[0].i == PREVIOUS ? -1 : 1;
        int at = search->at < m.n ? search->at : m.n - 1;
        show_match(env, &m, (at + by + m.n) % m.n);
    }
    matches_release(&m);
    return ok;
}

bool cmd_search(struct command_env *env, const struct arg *arg, struct err *err)
{
    (void) arg;
    if (!env->live)
        return err_set(err, "search needs the full screen; 'find TEXT' searches here");
    env->journal.skip = true;
    env->screen->want_find = true;
    return true;
}
