/* Calls that did not end well, and what the compiler refused, in words. */
#include "session/exercise_check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *kind, *en, *zh;
} kinds[] = {
    {"heap-buffer-overflow", "beside the end or the beginning of an array",
     "数组之外（越过了末尾或开头）"},
    {"stack-buffer-overflow", "beside a local array", "局部数组之外"},
    {"global-buffer-overflow", "beside a global array", "全局数组之外"},
    {"dynamic-stack-buffer-overflow", "beside a local array", "局部数组之外"},
    {"heap-use-after-free", "in memory that was freed already", "已经释放的内存里"},
    {"stack-use-after-return", "in a local array of a function that has ended",
     "已经返回的函数的局部数组里"},
    {"stack-use-after-scope", "in a variable whose block has ended", "已离开作用域的变量里"},
    {"SEGV", "at an address that is none: far outside an array, or a null pointer",
     "一个无效的地址：远在数组之外，或是空指针"},
};

static const char *kind_words(const char *kind, enum lang lang)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].kind, kind))
            return in_lang(lang, kinds[i].en, kinds[i].zh);
    return NULL;
}

/* The arrays of so many bytes that may be meant, "k or v": outputs for a write, inputs for a
 * read. Returns how many floats they have, 0 for none. */
static size_t arrays_of(const struct call *call, size_t bytes, bool writes, enum lang lang,
                        struct str *names)
{
    enum array_role other = writes ? ARRAY_IN : ARRAY_OUT;

    for (int i = 0; i < call->n_arrays; i++)
        if (call->array[i].role != other &&
            call_floats(&call->array[i]) * sizeof(float) == bytes)
            str_addf(names, "%s%s", names->len > 0 ? in_lang(lang, " or ", " 或 ") : "",
                     call->array[i].name);
    return names->len > 0 ? bytes / sizeof(float) : 0;
}

static void tell_line(struct todo_report *r, enum lang lang)
{
    if (r->line > 0)
        str_addf(&r->element, in_lang(lang, ", line %d", "，第 %d 行"), r->line);
}

static void tell_memory(struct todo_report *r, const struct tried *t, const char *words,
                        enum lang lang)
{
    const struct call_result *c = &t->result;
    struct str names = STR_INIT;
    size_t floats = arrays_of(&t->c.call, c->block, c->writes, lang, &names);

    snprintf(r->name, sizeof r->name, "%s", c->kind);
    str_addf(&r->element, in_lang(lang, "%s %s", "%s%s"),
             c->writes ? in_lang(lang, "it writes", "写到了")
                       : in_lang(lang, "it reads", "读到了"),
             words);
    tell_line(r, lang);
    if (floats > 0 && !strcmp(c->kind, "heap-buffer-overflow"))
        str_addf(&r->reason,
                 in_lang(lang, "the array is probably %s, which has %zu floats here",
                         "这个数组多半是 %s，在这里它有 %zu 个浮点数"),
                 names.text, floats);
    str_release(&names);
}

static void tell_signal(struct todo_report *r, int sig, enum lang lang)
{
    const char *why =
        sig == SIGSEGV || sig == SIGBUS
            ? in_lang(lang, "segmentation fault: an address outside every array",
                      "段错误：地址在所有数组之外")
        : sig == SIGFPE ? in_lang(lang, "a division of integers by 0", "整数除以 0")
        : sig == SIGABRT
            ? in_lang(lang, "abort: memory was damaged before", "abort：在此之前内存已被破坏")
            : strsignal(sig);

    snprintf(r->name, sizeof r->name, "crash");
    str_addf(&r->element, in_lang(lang, "it crashed: %s", "程序崩溃：%s"), why);
}

static void tell_crash(struct todo_report *r, const struct tried *t, enum lang lang)
{
    const struct call_result *c = &t->result;
    const char *words = kind_words(c->kind, lang);

    r->line = c->line;
    if (words) {
        tell_memory(r, t, words, lang);
    } else if (!strcmp(c->kind, "memory")) {
        snprintf(r->name, sizeof r->name, "memory");
        str_adds(&r->element, in_lang(lang, "it takes more than 2 GB of memory",
                                      "它占用了超过 2 GB 的内存"));
    } else if (!strcmp(c->kind, "undefined")) {
        snprintf(r->name, sizeof r->name, "undefined");
        str_addf(
            &r->element,
            in_lang(lang, "it does what C does not define: %s", "它做了 C 语言未定义的事：%s"),
            c->says);
        tell_line(r, lang);
    } else if (*c->kind) {
        snprintf(r->name, sizeof r->name, "%s", c->kind);
        str_addf(&r->element, in_lang(lang, "it crashed: %s", "程序崩溃：%s"), c->kind);
        tell_line(r, lang);
    } else {
        tell_signal(r, c->signal, lang);
    }
}

static void tell_outside(struct todo_report *r, const struct tried *t, enum lang lang)
{
    const struct call_array *a = &t->c.call.array[t->result.array];

    snprintf(r->name, sizeof r->name, "wrote-outside");
    str_addf(&r->element,
             t->result.place < 0
                 ? in_lang(lang,
                           "it writes before the beginning of %s, which has %zu floats here",
                           "写到了 %s 的开头之前，在这里它有 %zu 个浮点数")
                 : in_lang(lang, "it writes behind the end of %s, which has %zu floats here",
                           "写到了 %s 的末尾之后，在这里它有 %zu 个浮点数"),
             a->name, call_floats(a));
}

static void tell_input(struct todo_report *r, const struct tried *t, enum lang lang)
{
    snprintf(r->name, sizeof r->name, "wrote-input");
    str_adds(&r->element, in_lang(lang, "it changes its input: ", "它改动了输入："));
    reason_place(&t->c.call.array[t->result.array], (size_t) t->result.place, &r->element);
}

void reason_outcome(struct todo_report *r, const struct tried *t, enum lang lang)
{
    r->state = TODO_FAILED;
    r->broken = true;
    str_adds(&r->where, t->c.what[lang]);
    switch (t->result.outcome) {
    case CALL_CRASHED:
        tell_crash(r, t, lang);
        break;
    case CALL_ENDLESS:
        snprintf(r->name, sizeof r->name, "endless");
        str_addf(&r->element,
                 in_lang(lang,
                         "it does not end: stopped after %g s (a right one takes far less)",
                         "它没有结束：%g 秒后被停止（正确的写法远不用这么久）"),
                 EXERCISE_SECONDS);
        break;
    case CALL_EXITED:
        snprintf(r->name, sizeof r->name, "exit");
        str_addf(&r->element,
                 in_lang(lang, "it ended the whole program with status %d: return, do not exit",
                         "它结束了整个程序，状态 %d：请用 return，不要用 exit"),
                 t->result.status);
        break;
    case CALL_WROTE_OUTSIDE:
        tell_outside(r, t, lang);
        break;
    case CALL_WROTE_INPUT:
        tell_input(r, t, lang);
        break;
    case CALL_GARBLED:
    case CALL_OK:
        snprintf(r->name, sizeof r->name, "garbled");
        str_adds(&r->element, in_lang(lang, "it overwrote memory that is not its own",
                                      "它覆盖了不属于它的内存"));
        break;
    }
}

/* --- the compiler --- */

void reason_compiler(struct exercise_report *r, enum lang lang)
{
    static const struct {
        const char *sign, *en, *zh;
    } words[] = {
        {"undefined reference",
         "this function is called, or asked for by exercise.h, and is not "
         "in the file",
         "这个函数被调用了，或者是 exercise.h 要求的，但文件里没有"},
        {"multiple definition", "this function is in the file twice",
         "这个函数在文件里出现了两次"},
        {"or ';' before", "a semicolon is missing, often on the line before",
         "少了一个分号，常常是在上一行"},
        {"expected ';'", "a semicolon is missing, often on the line before",
         "少了一个分号，常常是在上一行"},
        {"undeclared", "this name was not declared: misspelt, or used outside its block",
         "这个名字没有声明：拼写有误，或在它的作用域之外使用"},
        {"conflicting types", "the function's parameters are others than in exercise.h",
         "函数的参数与 exercise.h 里的不一致"},
        {"read-only", "it is const: an input, which may only be read",
         "它是 const：输入只能读，不能写"},
        {"expected declaration or statement at end of input", "a closing brace is missing",
         "少了一个右花括号"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(r->error.text, words[i].sign)) {
            str_adds(&r->reason, in_lang(lang, words[i].en, words[i].zh));
            return;
        }
}
