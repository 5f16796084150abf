/* Completion at the shell: what the program offers for a partly typed line, and bash, zsh and
 * fish with their scripts, as they are installed. bash and zsh get keys in a terminal; then the
 * line is entered, where a function of the program's name prints its words. */
#include "shell.h"

#include "base/mem.h"
#include "ui/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N(a)         ((int) (sizeof(a) / sizeof *(a)))
#define WAIT_SECONDS 60

static char *scripts; /* the folder of the completions */

static void fail_with(const char *line, const struct ran *r, const char *what)
{
    fail_msg("%s\n  %s: status %d\n  stdout: %.2000s\n  stderr: %.400s\n", line, what,
             r->status, r->out.text, r->err.text);
}

/* --- the program's own answers --- */

struct offer {
    const char *words;     /* after "complete -- " */
    const char *wanted[6]; /* candidates that must be there, whole words */
    const char *unwanted;  /* one that must not */
    int n;                 /* how many there are; 0: not looked at; -1: none */
};

// clang-format off
static const struct offer offers[] = {
    {"''", {"dump", "generate", "completion", "help"}, "complete", 0},
    {"d", {"dump"}, "generate", 0},
    {"dump -", {"--select", "--output", "--no-ascii", "--scale", "--help"}, "--decode", 0},
    {"dump ''", {"--select"}, "--decode", 0},
    {"dump --sel", {"--select"}, NULL, 1},
    {"dump --select x --s", {"--seed", "--scale"}, "--select", 0},
    {"--model tiny-llama dump --sel", {"--select"}, NULL, 1},
    {"-m dump generate --c", {"--count"}, NULL, 0},
    {"models --nothing", {NULL}, NULL, -1},
    {"-- d", {NULL}, NULL, -1},
    {"generate -- --mo", {NULL}, NULL, -1},

    /* models */
    {"info -m tiny", {"tiny-gpt2", "tiny-llama", ":files"}, NULL, 0},
    {"info --model=tiny-l", {"--model=tiny-llama", ":files"}, NULL, 2},
    {"info -mtiny-l", {"-mtiny-llama", ":files"}, NULL, 2},
    {"check my", {"my models/small.gguf", ":files"}, NULL, 0},
    {"--quoted -- info -m \"'my mo\"", {"my models/small.gguf", ":files"}, NULL, 3},
    {"--quoted -- info -m 'my\\ mo'", {"my models/small.gguf", ":files"}, NULL, 3},
    {"info -m 'my models/s'", {":files"}, NULL, 1}, /* the shell knows what is there */

    /* values of the model that the line names */
    {"dump --select ''", {"embed", "logits", "blocks.*.attn.pattern", "cache.0.k"}, "L0.", 0},
    {"dump --select blocks.3.attn.s", {"blocks.3.attn.scores", "blocks.3.attn.scores_raw",
     "blocks.3.attn.scores_scaled"}, NULL, 3},
    {"dump --select 'blocks.*.attn.rot'", {NULL}, NULL, -1},
    {"dump -m tiny-llama --select 'blocks.*.attn.rot'", {"blocks.*.attn.rot_q"}, NULL, 2},
    {"dump --model=tiny-llama --select=blocks.0.attn.rot_q", {"--select=blocks.0.attn.rot_q"}, NULL, 1},
    {"dump -mtiny-llama --select L0.attn.rot_k", {"L0.attn.rot_k"}, NULL, 1},
    {"--quoted -- dump -m \"'tiny-llama'\" --select 'blocks.\\*.attn.rot_q'", {"blocks.*.attn.rot_q"}, NULL, 1},
    {"dump -m missing --select prob", {"probs"}, NULL, 1},
    {"dump --select L", {"L*.", "L0.", "L3."}, "L4.", 5},
    {"dump --select L0-2.attn.p", {"L0-2.attn.pattern"}, NULL, 1},
    {"dump --select L1.H", {"L1.H0.", "L1.H5."}, "L1.H6.", 6},
    {"dump --select L1.H5.attn.p", {"L1.H5.attn.pattern"}, NULL, 1},
    {"dump -m tiny-llama --select L1.H5.attn.k", {NULL}, NULL, -1}, /* it has two */
    {"dump --select logits,L2.mlp_", {"logits,L2.mlp_out"}, NULL, 1},
    {"dump --select kq_soft_max-", {"kq_soft_max-*"}, NULL, 1},

    /* other values and arguments */
    {"dump --format ''", {"npz", "npy", "json"}, NULL, 0},
    {"run --scale ''", {"linear", "sqrt", "log", "row-max"}, NULL, 4},
    {"run --theme=vi", {"--theme=viridis"}, NULL, 1},
    {"run --color n", {"never"}, NULL, 1},
    {"run --temp ''", {NULL}, NULL, -1},
    {"run ''", {":files"}, NULL, 1},
    {"dump -o ''", {":files"}, NULL, 1},
    {"bench --dtype q8", {"q8_0"}, NULL, 1},
    {"bench --shape gpt2-m", {"gpt2-medium"}, NULL, 1},
    {"help ste", {"step", "steer"}, NULL, 2},
    {"help va", {"value", "values"}, NULL, 2},
    {"help dum", {"dump"}, NULL, 1},
    {"completion ''", {"bash", "zsh", "fish"}, NULL, 3},
    {"run -c 'run; set sca'", {"run; set scale"}, NULL, 1},
    {"run -m tiny-llama -c 'until L1.rope'", {"until L1.rope_q", "until L1.rope_k"}, NULL, 2},
    {"generate -p ''", {NULL}, NULL, -1},
};
// clang-format on

/* The lines of `out`, whose first field is `word`. */
static bool offers_word(const char *out, const char *word)
{
    size_t n = strlen(word);
    for (const char *line = out; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, word, n) == 0 && line[n] == '\t')
            return true;
    return false;
}

static int count_lines(const char *out)
{
    int n = 0;
    for (; (out = strchr(out, '\n')); out++)
        n++;
    return n;
}

static void answers(void **state)
{
    (void) state;
    for (int i = 0; i < N(offers); i++) {
        const struct offer *o = &offers[i];
        bool quoted = strncmp(o->words, "--quoted", 8) == 0;
        struct ran r = shell("gptscope complete %s%s", quoted ? "" : "-- ", o->words);
        if (r.status != 0 || r.err.len)
            fail_with(o->words, &r, "fails");
        for (int k = 0; k < N(o->wanted) && o->wanted[k]; k++)
            if (!offers_word(r.out.text, o->wanted[k]))
                fail_with(o->words, &r, o->wanted[k]);
        if (o->unwanted && offers_word(r.out.text, o->unwanted))
            fail_with(o->words, &r, o->unwanted);
        if (o->n && count_lines(r.out.text) != (o->n > 0 ? o->n : 0))
            fail_with(o->words, &r, "another number of candidates");
        ran_release(&r);
    }
}

/* Every option of every verb is offered, and what it is. */
static void all_options(void **state)
{
    (void) state;
    for (const struct tool *t = tool_table; t->name; t++) {
        struct ran r = shell("gptscope complete -- %s -", t->name);
        for (const struct option_row *o = option_table; o->name; o++) {
            char *line =
                xasprintf("\n--%s\t%.*s\n", o->name, (int) strcspn(o->help, ";\n"), o->help);
            bool there = strstr(r.out.text, line) ||
                         strncmp(r.out.text, line + 1, strlen(line + 1)) == 0;
            if (there != tool_takes(t, o->name))
                fail_with(t->name, &r, line);
            free(line);
        }
        ran_release(&r);
    }
}

/* --- scripts --- */

static void installed_scripts(void **state)
{
    static const char *const shells[][2] = {
        {"bash", "gptscope"}, {"zsh", "_gptscope"}, {"fish", "gptscope.fish"}};
    (void) state;
    for (int i = 0; i < N(shells); i++) {
        struct ran r =
            shell("gptscope completion %s | diff - %s/%s", shells[i][0], scripts, shells[i][1]);
        if (r.status != 0)
            fail_with(shells[i][1], &r, "is not what the program prints: run make manual");
        ran_release(&r);
    }
}

static bool has(const char *program)
{
    struct ran r = shell("command -v %s", program);
    bool there = r.status == 0;
    ran_release(&r);
    if (!there)
        print_message("%s is absent: its completion was not tried\n", program);
    return there;
}

/* fish says itself what it would offer. */
static void in_fish(void **state)
{
    static const struct {
        const char *line, *wanted;
    } rows[] = {
        {"gptscope du", "dump\twrite values of the pass to a file\n"},
        {"gptscope dump --sel", "--select\tnames of values"},
        {"gptscope dump -m tiny-llama --select blocks.0.attn.rot_q", "blocks.0.attn.rot_q\t["},
        {"gptscope dump --select 'blocks.*.attn.pa", "blocks.*.attn.pattern\t"},
        {"gptscope dump --select blocks.\\*.attn.pa", "blocks.*.attn.pattern\t"},
        {"gptscope dump --select logits,prob", "logits,probs\t"},
        {"gptscope info --model=tiny-l", "--model=tiny-llama\t"},
        {"gptscope info -m 'my models/a", "my models/a b.gguf"},
        {"gptscope info --model=my", "--model=my models/"},
        {"gptscope generate -p \"a:b = c\" --theme vi", "viridis\t"},
        {"gptscope run -c 'run; set sca", "run; set scale"},
        {"gptscope -- d", ""},
        {"gptscope generate -p d", ""},
    };
    (void) state;
    if (!has("fish"))
        skip();
    for (int i = 0; i < N(rows); i++) {
        FILE *f = fopen("line.txt", "w");
        assert_non_null(f);
        fputs(rows[i].line, f);
        fclose(f);
        struct ran r = shell("fish --no-config -c 'source %s/gptscope.fish; "
                             "read -z line <line.txt; complete -C $line'",
                             scripts);
        if (r.err.len || !strstr(r.out.text, rows[i].wanted) || (!*rows[i].wanted && r.out.len))
            fail_with(rows[i].line, &r, rows[i].wanted);
        ran_release(&r);
    }
}

/* --- keys --- */

struct keys {
    const char *typed, *words; /* \t is the key; what the words of the line then are */
};

// clang-format off
static const struct keys keys[] = {
    {"gptscope du\tx", "<dump><x>"},
    {"gptscope dump --sel\tx", "<dump><--select><x>"},
    {"gptscope -m tiny-llama dump --outp\tx", "<-m><tiny-llama><dump><--output><x>"},
    {"gptscope info -m tiny-l\tx", "<info><-m><tiny-llama><x>"},
    {"gptscope info --model=tiny-l\tx", "<info><--model=tiny-llama><x>"},
    {"gptscope info --model=tin\tl\tx", "<info><--model=tiny-llama><x>"},
    {"gptscope run --scale sq\tx", "<run><--scale><sqrt><x>"},
    {"gptscope run --scale=sq\tx", "<run><--scale=sqrt><x>"},
    {"gptscope dump --select blocks.1.attn.pa\tx", "<dump><--select><blocks.1.attn.pattern><x>"},
    {"gptscope dump --select 'blocks.*.attn.pa\t x", "<dump><--select><blocks.*.attn.pattern><x>"},
    {"gptscope dump --select \"blocks.*.attn.pa\t x", "<dump><--select><blocks.*.attn.pattern><x>"},
    {"gptscope dump --select blocks.\\*.attn.pa\tx", "<dump><--select><blocks.*.attn.pattern><x>"},
    {"gptscope dump --select=blocks.2.mlp_\tx", "<dump><--select=blocks.2.mlp_out><x>"},
    {"gptscope dump --select logits,prob\tx", "<dump><--select><logits,probs><x>"},
    {"gptscope dump --select L2.H\t3.attn.pa\tx", "<dump><--select><L2.H3.attn.pattern><x>"},
    {"gptscope dump -m tiny-llama --select L0.attn.rot_q\tx",
     "<dump><-m><tiny-llama><--select><L0.attn.rot_q><x>"},
    {"gptscope dump --model=tiny-llama --select L0.attn.rot_k\tx",
     "<dump><--model=tiny-llama><--select><L0.attn.rot_k><x>"},
    {"gptscope info -m my\\ models/a\tx", "<info><-m><my models/a b.gguf><x>"},
    {"gptscope info -m 'my models/a\t x", "<info><-m><my models/a b.gguf><x>"},
    {"gptscope info -m oth\tbi\tx", "<info><-m><other files/big one.gguf><x>"},
    {"gptscope info -m 'oth\tbi\t x", "<info><-m><other files/big one.gguf><x>"},
    {"gptscope info --model=oth\tbi\tx", "<info><--model=other files/big one.gguf><x>"},
    {"gptscope run some\tx", "<run><something.gpt><x>"},
    {"gptscope help 2>some\tx", "<help><x>"},
    {"gptscope generate -p a:b=c --theme vi\tx", "<generate><-p><a:b=c><--theme><viridis><x>"},
    {"gptscope generate -p 'a:b = c' --theme vi\tx", "<generate><-p><a:b = c><--theme><viridis><x>"},
    {"gptscope generate -p \"it's\" --theme vi\tx", "<generate><-p><it's><--theme><viridis><x>"},
    {"gptscope generate -p it\\'s --theme vi\tx", "<generate><-p><it's><--theme><viridis><x>"},
    {"gptscope help stee\tx", "<help><steer><x>"},
    {"gptscope run -c 'run; set sca\t x", "<run><-c><run; set scale><x>"},
    {"true; gptscope du\tx", "<dump><x>"},
};
// clang-format on

struct terminal {
    pid_t pid;
    int fd;
    struct str seen;
};

static void await(struct terminal *t, const char *text, const char *what)
{
    struct pollfd fd = {.fd = t->fd, .events = POLLIN};
    time_t end = time(NULL) + WAIT_SECONDS;
    char block[4096], *at;

    while (!(at = strstr(t->seen.text, text))) {
        ssize_t n = poll(&fd, 1, 1000) > 0 ? read(t->fd, block, sizeof block) : 0;
        if (n > 0)
            str_add(&t->seen, block, (size_t) n);
        if (n < 0 || time(NULL) > end)
            fail_msg("%s: waited for '%s', saw '%s'", what, text, t->seen.text);
    }
    str_cut(&t->seen, 0, (size_t) (at - t->seen.text) + strlen(text));
}

static void type(struct terminal *t, const char *text)
{
    assert_int_equal(write(t->fd, text, strlen(text)), strlen(text));
}

static void press_keys(struct terminal *t, const char *setup)
{
    type(t, setup);
    /* The words of the line as they are, between marks that are not in what was typed. */
    type(t, "gptscope() { printf 'words:'; printf '<%s>' \"$@\"; printf ':%s' end; }\n");
    type(t, "printf '%s:%s\\n' set up\n");
    await(t, "set:up", "set up");
    for (int i = 0; i < N(keys); i++) {
        char *words = xasprintf("words:%s:end", keys[i].words);
        type(t, keys[i].typed);
        type(t, "\n");
        await(t, words, keys[i].typed);
        free(words);
    }
}

static void in_terminal(const char *command, const char *setup)
{
    const struct winsize size = {.ws_row = 50, .ws_col = 500};
    struct terminal t = {.seen = STR_INIT};
    int status;

    t.pid = forkpty(&t.fd, NULL, NULL, &size);
    assert_true(t.pid >= 0);
    if (t.pid == 0) {
        setenv("TERM", "xterm", 1);
        setenv("INPUTRC", "/dev/null", 1);
        execl("/bin/sh", "sh", "-c", command, (char *) NULL);
        _exit(127);
    }
    press_keys(&t, setup);
    type(&t, "exit\n");
    char block[4096];
    while (read(t.fd, block, sizeof block) > 0)
        continue;
    assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
    close(t.fd);
    str_release(&t.seen);
}

static void in_bash(void **state)
{
    (void) state;
    if (!has("bash"))
        skip();
    char *setup = xasprintf("PS1='> '; . %s/gptscope\n", scripts);
    in_terminal("exec bash --noprofile --norc -i", setup);
    free(setup);
}

static void in_zsh(void **state)
{
    (void) state;
    if (!has("zsh"))
        skip();
    char *setup = xasprintf("PS1='> '; fpath=(%s $fpath); autoload -Uz compinit; "
                            "compinit -u -D\n",
                            scripts);
    in_terminal("exec zsh -f -i", setup);
    free(setup);
}

static int enter(void **state)
{
    const char *dir = getenv("TESTS_DIR");
    char *relative = xasprintf("%s/../completions", dir ? dir : "tests");
    (void) state;
    scripts = realpath(relative, NULL);
    free(relative);
    shell_enter(state);
    setenv("HOME", ".", 1);
    setenv("GPTSCOPE_MODELS", "my models", 1);
    struct ran r = shell("mkdir 'my models' 'other files' && touch 'my models/a b.gguf' "
                         "'my models/small.gguf' 'other files/big one.gguf' something.gpt");
    bool ok = scripts && r.status == 0;
    ran_release(&r);
    return ok ? 0 : -1;
}

static int leave(void **state)
{
    (void) state;
    free(scripts);
    shell_leave(state);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),           cmocka_unit_test(all_options),
        cmocka_unit_test(installed_scripts), cmocka_unit_test(in_fish),
        cmocka_unit_test(in_bash),           cmocka_unit_test(in_zsh),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
