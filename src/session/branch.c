/* Branches: continuations that are kept. */
#include "session/branch.h"

#include "base/mem.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

static struct branch *find(struct session *s, int id)
{
    for (int i = 0; i < s->branches.n; i++)
        if (s->branches.item[i].id == id)
            return &s->branches.item[i];
    return NULL;
}

static void copy_ids(struct ids *to, const struct ids *from)
{
    to->n = 0;
    for (int i = 0; i < from->n; i++)
        ids_add(to, from->id[i]);
}

/* The session's tokens into the present branch, which is made when there is none. */
static void keep_present(struct session *s)
{
    struct branches *all = &s->branches;
    struct branch *b = find(s, all->present);

    if (!b) {
        VEC_ROOM(all->item, all->n, all->cap);
        b = &all->item[all->n++];
        memset(b, 0, sizeof *b);
        b->id = all->present = ++all->last_id;
        b->prompt = (struct str) STR_INIT;
    }
    copy_ids(&b->ids, &s->ids);
    b->n_prompt = s->n_prompt;
    str_clear(&b->prompt);
    str_add(&b->prompt, s->prompt.text, s->prompt.len);
}

static void become(struct session *s, int id)
{
    s->branches.before = s->branches.present;
    s->branches.present = id;
}

bool branch_go(struct session *s, int id, struct err *err)
{
    struct branch *b = find(s, id);

    if (!b)
        return err_set(err, "there is no branch %d; 'branches' lists them", id);
    if (id == s->branches.present)
        return err_set(err, "branch %d is where you are", id);
    keep_present(s);
    b = find(s, id);
    if (!session_replace(s, &b->ids, b->n_prompt, &b->prompt, err))
        return false;
    become(s, id);
    return true;
}

bool branch_back(struct session *s, struct err *err)
{
    if (!find(s, s->branches.before))
        return err_set(err, "there is no branch to go back to");
    return branch_go(s, s->branches.before, err);
}

/* A branch with the session's first n tokens and then this one; 0 when there is none. */
static int with_token(const struct session *s, int n, int token)
{
    for (int i = 0; i < s->branches.n; i++) {
        const struct branch *b = &s->branches.item[i];
        if (b->id != s->branches.present && b->ids.n > n && b->ids.id[n] == token &&
            !memcmp(b->ids.id, s->ids.id, (size_t) n * sizeof *b->ids.id))
            return b->id;
    }
    return 0;
}

static bool check(const struct session *s, int token, int at, struct err *err)
{
    if (token < 0 || token >= s->program->hp.n_vocab)
        return err_set(err, "there is no token %d; ids go from 0 to %d", token,
                       s->program->hp.n_vocab - 1);
    if (at < 0 || at >= s->ids.n)
        return err_set(err, "there is no position %d to branch after; they go from 0 to %d", at,
                       s->ids.n - 1);
    if (at + 1 < s->ids.n && s->ids.id[at + 1] == token)
        return err_set(err, "this is the token that comes after position %d already", at);
    return true;
}

bool branch_fork(struct session *s, int token, int at, struct err *err)
{
    struct branches *all = &s->branches;
    int old = s->ids.n > 0 ? with_token(s, at + 1 < s->ids.n ? at + 1 : s->ids.n, token) : 0;

    if (!check(s, token, at, err))
        return false;
    if (old > 0)
        return branch_go(s, old, err);
    if (at == s->ids.n - 1)
        return session_append(s, token, err);
    keep_present(s);
    int parent = all->present;
    session_truncate(s, at + 1);
    if (!session_append(s, token, err))
        return false;
    become(s, 0);
    keep_present(s);
    find(s, all->present)->parent = parent;
    find(s, all->present)->fork = at + 1;
    return true;
}

void branches_release(struct branches *b)
{
    for (int i = 0; i < b->n; i++) {
        ids_release(&b->item[i].ids);
        str_release(&b->item[i].prompt);
    }
    free(b->item);
    memset(b, 0, sizeof *b);
}

void branches_forget(struct session *s)
{
    int last_id = s->branches.last_id;

    branches_release(&s->branches);
    s->branches.last_id = last_id;
}

/* Its own tokens, as labels side by side. */
static void print_tokens(const struct session *s, const struct branch *b, struct str *out)
{
    enum { MOST = 12 };
    char label[64];

    for (int i = b->fork; i < b->ids.n && i < b->fork + MOST; i++)
        str_adds(out, tokenizer_label(s->tokenizer, b->ids.id[i], label, sizeof label));
    if (b->ids.n > b->fork + MOST)
        str_adds(out, " ...");
}

void branches_note(struct session *s)
{
    if (s->branches.n > 0)
        keep_present(s);
}

void branches_print(struct session *s, struct str *out)
{
    if (s->branches.n == 0) {
        str_adds(out, "there are no branches; 'branch TOKEN' makes one\n");
        return;
    }
    branches_note(s);
    for (int i = 0; i < s->branches.n; i++) {
        const struct branch *b = &s->branches.item[i];
        str_addf(out, "%s%3d  ", b->id == s->branches.present ? "*" : " ", b->id);
        if (b->parent)
            str_addf(out, "from %d at %d  ", b->parent, b->fork);
        print_tokens(s, b, out);
        str_addc(out, '\n');
    }
}
