#include "session/checklist.h"

#include "session/course.h"
#include "session/exercise_state.h"
#include "session/game.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
const struct checklist_item checklist_table[CHECKLIST_ITEMS] = {
    {"architecture", {"Draw the architecture", "画出整体结构"},
     "embedding residual blocks", true, NULL},
    {"attention", {"Explain attention", "讲清楚注意力"},
     "qkv scale softmax values heads", false, "attention"},
    {"mask", {"Say why there is a causal mask", "说明为什么需要因果掩码"},
     "mask triangle", false, NULL},
    {"mlp", {"Implement the MLP", "实现 MLP"},
     "mlp", false, "mlp"},
    {"block", {"Implement a block", "实现一个块"},
     "layernorm blocks", false, "block"},
    {"gpt", {"Implement a GPT", "实现一个 GPT"},
     "logits", false, "model"},
    {"parameters", {"Count the parameters", "数清参数"},
     "parameters", false, NULL},
    {"positions", {"Compare RoPE with learned positions", "比较 RoPE 和可学习的位置编码"},
     "embedding rope", false, "rope"},
    {"cache", {"Say why the KV cache is fast", "说明 KV 缓存为什么快"},
     "cache", false, "cache"},
    {"gqa", {"Explain grouped-query attention (GQA)", "讲清楚分组查询注意力（GQA）"},
     "gqa", false, "gqa"},
};
// clang-format on

int checklist_find(const char *name)
{
    char *end;
    long n = strtol(name, &end, 10);

    if (isdigit((unsigned char) *name) && !*end)
        return n >= 1 && n <= CHECKLIST_ITEMS ? (int) n - 1 : -1;
    for (int i = 0; i < CHECKLIST_ITEMS; i++)
        if (!strcmp(checklist_table[i].name, name))
            return i;
    return -1;
}

static bool lesson_is_done(const struct course *c, const char *name)
{
    int i = lessons_find(&c->lessons, name);

    return i >= 0 && course_is_done(c, i);
}

static void add_part(struct checklist_state *st, struct session *s, enum checklist_kind kind,
                     const char *name, size_t n)
{
    struct checklist_part *p = &st->part[st->n++];

    p->kind = kind;
    memcpy(p->name, name, n);
    p->name[n] = '\0';
    p->done = kind == CHECKLIST_GAME     ? game_is_done(s)
              : kind == CHECKLIST_LESSON ? lesson_is_done(s->course, p->name)
                                         : exercise_is_done(s, p->name);
    st->n_done += p->done;
}

static void add_names(struct checklist_state *st, struct session *s, enum checklist_kind kind,
                      const char *names)
{
    while (names && *names) {
        size_t n = strcspn(names, " ");
        add_part(st, s, kind, names, n);
        names += n + strspn(names + n, " ");
    }
}

bool checklist_read(struct checklist_state *st, struct session *s, int i, struct err *err)
{
    const struct checklist_item *item = &checklist_table[i];

    memset(st, 0, sizeof *st);
    if (!course_of(s, err))
        return false;
    add_names(st, s, CHECKLIST_LESSON, item->lessons);
    if (item->game)
        add_part(st, s, CHECKLIST_GAME, "", 0);
    add_names(st, s, CHECKLIST_EXERCISE, item->exercises);
    for (int k = 0; k < st->n && !st->next; k++)
        if (!st->part[k].done)
            st->next = &st->part[k];
    return true;
}

void checklist_part_print(const struct checklist_part *p, struct str *out)
{
    static const char *const kinds[] = {"lesson", "game", "exercise"};

    str_addf(out, "%s%s%s", kinds[p->kind], *p->name ? " " : "", p->name);
}

static void print_those(const struct checklist_state *st, bool done, enum lang lang,
                        struct str *out)
{
    bool first = true;

    for (int i = 0; i < st->n; i++) {
        if (st->part[i].done != done)
            continue;
        str_adds(out, first ? "" : in_lang(lang, ", ", "、"));
        checklist_part_print(&st->part[i], out);
        first = false;
    }
}

void checklist_print(const struct checklist_state *st, enum lang lang, struct str *out)
{
    str_addf(out, in_lang(lang, "%d of %d: ", "%d / %d："), st->n_done, st->n);
    if (st->n_done > 0) {
        print_those(st, true, lang, out);
        str_adds(out, in_lang(lang, " done", " 已完成"));
    }
    if (st->n_done > 0 && st->next)
        str_adds(out, in_lang(lang, "; ", "；"));
    if (st->next) {
        print_those(st, false, lang, out);
        str_adds(out, in_lang(lang, " open", " 未完成"));
    }
}
