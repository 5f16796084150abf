#include "command/differ_report.h"

#include "base/mem.h"
#include "base/safe.h"
#include "model/roles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- tokens --- */

static void token_say(const struct tokenizer *t, int32_t id, struct str *out)
{
    char label[64];
    str_addf(out, "%d", id);
    if (t)
        str_addf(out, " %s", tokenizer_label(t, id, label, sizeof label));
}

/* b is a with something in front, or the other way round: a beginning-of-text token? */
static bool moved(const int32_t *a, int na, const int32_t *b, int nb)
{
    return na > 1 && nb >= na - 1 && memcmp(a + 1, b, ((size_t) na - 1) * sizeof *a) == 0;
}

int differ_tokens(const int32_t *a, int na, const int32_t *b, int nb, const struct tokenizer *t,
                  struct err *err)
{
    int n = na < nb ? na : nb;
    if (na == 0 || nb == 0)
        return na > nb ? na : nb;
    for (int i = 0; i < n; i++) {
        if (a[i] == b[i])
            continue;
        struct str text = STR_INIT;
        str_addf(&text, "the tokens differ at position %d: ", i);
        token_say(t, a[i], &text);
        str_adds(&text, " in A, ");
        token_say(t, b[i], &text);
        str_adds(&text, " in B; ");
        if (i == 0 && (moved(a, na, b, nb) || moved(b, nb, a, na)))
            str_addf(&text, "%s has one more in front (a beginning-of-text token?)",
                     moved(a, na, b, nb) ? "A" : "B");
        else
            str_adds(&text, "give both the same prompt");
        err_set(err, "%s", text.text);
        str_release(&text);
        return -1;
    }
    return n;
}

/* --- one row --- */

const char *differ_label(const struct differ_report *r, int pos, char *buf, size_t size)
{
    if (!r->tokens || pos >= r->n_tokens)
        return NULL;
    if (r->tokenizer)
        return tokenizer_label(r->tokenizer, r->tokens[pos], buf, size);
    return r->text ? r->text[pos] : NULL;
}

/* A number as times the tolerance: "0.012", "125", "5.1e+06". */
static void times_say(double x, struct str *out)
{
    str_addf(out, x < 1 ? "%.2g" : x < 9.95 ? "%.1f" : x < 99999 ? "%.0f" : "%.1e", x);
}

/* The text of a position, with a blank before it; nothing when it is not known. */
static void position_say(const struct differ_report *r, int pos, struct str *out)
{
    char buf[48];
    const char *label = differ_label(r, pos, buf, sizeof buf);
    if (label)
        str_addf(out, " %.48s", label);
}

/* "[2,8,6] ·Anna ·to" */
static void cell_say(const struct differ_report *r, const struct differ_row *row,
                     const int at[3], struct str *out)
{
    const struct program *p = differ_program(r->differ);
    const struct value *v = row->value < 0 ? NULL : &p->value[row->value];
    for (int i = 0; i < row->n_axis; i++)
        str_addf(out, "%s%d", i ? "," : "[", at[i]);
    str_adds(out, "]");
    for (int i = 0; v && i < v->n_axis; i++)
        if (v->axis[i] == AXIS_POS || v->axis[i] == AXIS_KEY)
            position_say(r, at[i], out);
}

static const char *state_name(const struct differ_row *row)
{
    return row->state == DIFFER_SAME ? "ok" : row->state == DIFFER_OTHER ? "differs" : "misfit";
}

static void shape_say(const struct differ_row *row, struct str *out)
{
    for (int i = 0; i < row->n_axis; i++)
        str_addf(out, "%s%d", i ? "x" : "", row->shape[i]);
}

/* In `cells` columns, however wide its characters are. */
static void pad(struct str *out, const struct str *text, int cells)
{
    int used = 0;
    str_adds(out, text->text);
    for (size_t i = 0; i < text->len; i++)
        used += ((unsigned char) text->text[i] & 0xc0) != 0x80;
    str_addf(out, "%*s", used < cells ? cells - used : 1, "");
}

static void head_line(struct str *out)
{
    str_addf(out, "%-28s %-12s %-9s %-24s %-8s %-9s %s\n", "value", "shape", "|A - B|", "at",
             "rms", "cosine", "of the tolerance");
}

static void row_line(const struct differ_report *r, const struct differ_row *row,
                     struct str *out)
{
    struct str text = STR_INIT;
    safe_add(&text, row->name, strlen(row->name), SAFE_SPACE_KEEP);
    pad(out, &text, 29);
    if (row->state == DIFFER_MISFIT) {
        str_addf(out, "misfit: %s\n", row->why);
        str_release(&text);
        return;
    }
    str_clear(&text);
    shape_say(row, &text);
    pad(out, &text, 13);
    str_clear(&text);
    str_addf(&text, "%.3g", row->most);
    pad(out, &text, 10);
    str_clear(&text);
    if (row->most > 0)
        cell_say(r, row, row->most_at, &text);
    pad(out, &text, 25);
    str_clear(&text);
    str_addf(out, "%-8.1e %-9.6f ", row->rms, row->cosine);
    times_say(row->allowed > 0 ? row->ratio / row->allowed : row->ratio, &text);
    pad(out, &text, 9);
    str_adds(out, state_name(row));
    if (row->other_value >= 0)
        str_addf(out, " (it is %s)", differ_program(r->differ)->value[row->other_value].name);
    str_addc(out, '\n');
    str_release(&text);
}

/* --- the verdict --- */

/* "h.0.attn.c_proj.weight", as Hugging Face calls it. */
static void weight_say(const struct program *p, const struct op *op, struct str *out)
{
    char name[ROLE_NAME_SIZE];
    const char *pattern =
        op->weight < W_COUNT ? roles[op->weight].at[NAMES_HF][p->hp.arch].pattern : NULL;
    if (pattern)
        str_addf(out, ", with %s", role_tensor_name(pattern, op->layer, name));
}

static void op_say(const struct program *p, int op, struct str *out)
{
    const struct op *o = &p->op[op];
    bool erf = o->code == OP_GELU && p->hp.act == ACT_GELU_ERF;
    op_name(p, op, out);
    str_adds(out, ": ");
    op_call_print(p, op, out);
    str_addf(out, ", %s", erf ? "0.5 x (1 + erf(x / sqrt(2)))" : op_info(o->code)->formula);
    weight_say(p, o, out);
}

static void worst_say(const struct differ_report *r, const struct differ_row *row,
                      struct str *out)
{
    double part = row->allowed > 0 ? row->ratio / row->allowed : row->ratio;
    str_adds(out, "at ");
    cell_say(r, row, row->at, out);
    str_addf(out, " A has %.6g, B %.6g", (double) row->a, (double) row->b);
    if (!isfinite(part)) {
        str_adds(out, " (not finite on one side)");
        return;
    }
    str_adds(out, " (");
    times_say(part, out);
    str_adds(out, " times the tolerance)");
}

static void names_say(const struct program *p, const int *value, int n, struct str *out)
{
    for (int i = 0; i < n; i++)
        str_addf(out, "%s%s",
                 i == 0       ? ""
                 : i + 1 == n ? " and "
                              : ", ",
                 p->value[value[i]].name);
}

static void ops_say(const struct program *p, const struct differ_why *why, struct str *out)
{
    enum { SHOWN = 16 };
    for (int i = 0; i < why->n_suspects && i < SHOWN; i++) {
        str_adds(out, i ? ", " : "");
        op_name(p, why->suspect[i], out);
    }
    str_adds(out, why->n_suspects > SHOWN ? ", ..." : "");
}

static void suspects_say(const struct program *p, const struct differ_why *why, struct str *out)
{
    enum { SHOWN = 8 };
    if (why->n_agree > 0) {
        str_adds(out, "  what comes before agrees: ");
        names_say(p, why->agree, why->n_agree < SHOWN ? why->n_agree : SHOWN, out);
    } else {
        str_adds(out, "  nothing before it is compared");
    }
    if (why->n_suspects == 1) {
        str_adds(out, why->n_agree ? ", so look at this op, its weights and what they are\n"
                                   : ": look at this op, its weights and what they are\n");
        return;
    }
    str_addf(out, "\n  not compared are the %d values between, so look at ",
             why->n_suspects - 1);
    ops_say(p, why, out);
    str_adds(out, "; or dump them, too\n");
}

static bool first_say(struct differ_report *r, struct str *out, struct err *err)
{
    const struct program *p = differ_program(r->differ);
    int i = differ_first(r->differ);
    const struct differ_row *row = differ_at(r->differ, i);
    struct differ_why why;
    if (!differ_explain(r->differ, i, &why, err)) {
        differ_why_release(&why);
        return false;
    }
    str_adds(out, "first to differ: ");
    safe_add(out, row->name, strlen(row->name), SAFE_SPACE_KEEP);
    str_addc(out, ' ');
    worst_say(r, row, out);
    if (why.op >= 0) {
        str_adds(out, "; made by ");
        op_say(p, why.op, out);
    }
    if (r->lines == DIFFER_QUIET && why.n_suspects > 1) {
        str_adds(out, "; in question are ");
        ops_say(p, &why, out);
    }
    str_addc(out, '\n');
    if (why.op >= 0 && r->lines != DIFFER_QUIET) {
        suspects_say(p, &why, out);
        if (*why.hint)
            str_addf(out, "  %s\n", why.hint);
    }
    differ_why_release(&why);
    return true;
}

/* --- all of it --- */

struct count {
    int same, other, misfit;
    const struct differ_row *nearest;
};

static struct count count_rows(const struct differ *d)
{
    struct count c = {0};
    double most = -1;
    for (int i = 0; i < differ_count(d); i++) {
        const struct differ_row *row = differ_at(d, i);
        c.same += row->state == DIFFER_SAME;
        c.other += row->state == DIFFER_OTHER;
        c.misfit += row->state == DIFFER_MISFIT;
        if (row->state == DIFFER_SAME && row->allowed > 0 && row->ratio / row->allowed > most) {
            most = row->ratio / row->allowed;
            c.nearest = row;
        }
    }
    return c;
}

bool differ_same(const struct differ *d)
{
    struct count c = count_rows(d);
    return c.same > 0 && c.other == 0 && c.misfit == 0;
}

static void only_say(const struct differ_report *r, int side, struct str *out)
{
    enum { SHOWN = 4 };
    const struct arrays *a = r->arrays[side];
    int n = 0;
    for (int i = 0; a && r->lines != DIFFER_QUIET && i < arrays_count(a); i++) {
        const char *name = arrays_at(a, i)->name;
        if (!differ_only(r->differ, side, i))
            continue;
        if (n++ >= SHOWN && r->lines != DIFFER_ALL)
            continue;
        str_addf(out, n > 1 ? ", " : "only in %c: ", 'A' + side);
        safe_add(out, name, strlen(name), SAFE_SPACE_KEEP);
    }
    if (n > SHOWN && r->lines != DIFFER_ALL)
        str_addf(out, " and %d more", n - SHOWN);
    str_adds(out, n ? "\n" : "");
}

/* What was done to the arrays of a side so that they became values, and how often. */
static void fits_say(const struct differ_report *r, int side, struct str *out)
{
    int n[FITS] = {0}, any = 0;
    for (int i = 0; i < differ_count(r->differ); i++)
        for (int f = 0; f < FITS; f++)
            n[f] += differ_at(r->differ, i)->fit[side] >> f & 1;
    if (r->lines == DIFFER_QUIET)
        return;
    for (int f = 0; f < FITS; f++)
        if (n[f])
            str_addf(out, "%s%s (%d)",
                     any++  ? "; "
                     : side ? "read from B: "
                            : "read from A: ",
                     fit_name(f), n[f]);
    str_adds(out, any ? "\n" : "");
}

static void sum_say(const struct differ_report *r, struct str *out)
{
    struct count c = count_rows(r->differ);
    if (c.other == 0 && c.misfit == 0 && c.same > 0) {
        str_addf(out, "the same: %d value%s over %d position%s within %g", c.same,
                 c.same == 1 ? "" : "s", differ_positions(r->differ),
                 differ_positions(r->differ) == 1 ? "" : "s", differ_tol(r->differ));
        if (c.nearest)
            str_addf(out, "; the nearest to it, %s, has %.2g of that", c.nearest->name,
                     c.nearest->ratio / c.nearest->allowed);
        str_addc(out, '\n');
        return;
    }
    str_addf(out, "%d of %d values agree within %g, %d differ%s", c.same,
             differ_count(r->differ), differ_tol(r->differ), c.other, c.other == 1 ? "s" : "");
    if (c.misfit)
        str_addf(out, ", %d cannot be compared: their shapes do not fit", c.misfit);
    str_addc(out, '\n');
}

static void sides_say(const struct differ_report *r, struct str *out)
{
    for (int i = 0; i < 2 && r->lines != DIFFER_QUIET; i++) {
        str_addf(out, "%c: ", 'A' + i);
        safe_add(out, r->name[i], strlen(r->name[i]), SAFE_SPACE_KEEP);
        str_addc(out, '\n');
    }
    if (r->note && r->lines != DIFFER_QUIET)
        str_addf(out, "%s\n", r->note);
}

/* Whether the row gets a line. */
static bool shown(struct differ_report *r)
{
    if (r->lines != DIFFER_LINES)
        return r->lines == DIFFER_ALL;
    if (differ_first(r->differ) < 0)
        return true;
    return r->after++ <= DIFFER_AFTER;
}

static bool nothing(struct err *err)
{
    return err_set(err, "A and B have no value in common; 'gptscope help values' lists the "
                        "names that are known");
}

bool differ_report(struct differ_report *r, struct str *out,
                   void (*flush)(struct str *out, void *user), void *user, struct err *err)
{
    const struct differ_row *row;
    int hidden = 0;
    sides_say(r, out);
    if (r->lines != DIFFER_QUIET)
        head_line(out);
    while ((row = differ_next(r->differ, err))) {
        if (shown(r))
            row_line(r, row, out);
        else
            hidden += r->lines == DIFFER_LINES;
        if (flush)
            flush(out, user);
    }
    if (*err->text)
        return false;
    if (differ_count(r->differ) == 0)
        return nothing(err);
    if (hidden)
        str_addf(out, "... %d more values\n", hidden);
    for (int i = 0; i < 2; i++)
        fits_say(r, i, out);
    for (int i = 0; i < 2; i++)
        only_say(r, i, out);
    sum_say(r, out);
    return differ_first(r->differ) < 0 || first_say(r, out, err);
}
