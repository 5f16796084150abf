/* gptscope dump --prompts: a file for each prompt; what is there is passed over, what fails is
 * reported, and the work can be split and stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "shell.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIVE                                                                                   \
    "printf 'Tom gave the red ball\\nAnna gave the red ball to Tom.\\n\\n"                     \
    "Tom gave the red ball to Anna. Anna\\nThe sun was red\\r\\nTom gave the blue ball' "      \
    ">p.txt;"
#define SELECT " --select 'L0-1.pattern,logits' "

/* A line in a fresh folder with the five prompts; want NULL: any output. */
static struct ran check(const char *line, int status, const char *out, const char *err)
{
    struct ran r = shell("rm -rf d; mkdir d; cd d; " FIVE " %s", line);

    if (r.status != status || (out && strcmp(r.out.text, out)) ||
        (err && strcmp(r.err.text, err)))
        fail_msg("%s\nstatus %d instead of %d\nout: %s\nerr: %s", line, r.status, status,
                 r.out.text, r.err.text);
    return r;
}

static void expect(const char *line, int status, const char *out, const char *err)
{
    struct ran r = check(line, status, out, err);

    ran_release(&r);
}

static void usage_errors(void **state)
{
#define SEE "; see gptscope help dump\n"
    static const struct {
        const char *args, *message;
    } wrong[] = {
        {"-o x.npz", "every prompt would go to 'x.npz'; put {n} for the prompt's number in its "
                     "name: -o 'x-{n}.npz'"},
        {"-o x --format npz",
         "every prompt would go to 'x'; put {n} for the prompt's number in "
         "its name: -o 'x-{n}'"},
        {"-o -", "--prompts writes a file for each prompt; -o 'out/{n}.npz', for one"},
        {"-o .", "'.' is a folder; say in which format its files are to be, --format npz, for "
                 "one"},
        {"", "to which files? -o 'out/{n}.npz', for one"},
        {"-o '{n}'",
         "'{n}' has no suffix to say the format, npz, npy, safetensors, json, csv, tsv, png, "
         "svg or html"},
        {"-o '{n}.xls'", "'xls' cannot be written, only npz, npy, safetensors, json, csv, tsv, "
                         "png, svg or html"},
        {"-o '{n}.npz' -p x",
         "--prompts gives the prompts; a prompt of its own cannot be given"},
        {"-o '{n}.npz' x", "--prompts gives the prompts; a prompt of its own cannot be given"},
        {"-o '{n}.npz' --ids 1",
         "--prompts gives the prompts; a prompt of its own cannot be given"},
        {"-o '{n}.npz' --shard 0/3",
         "option '--shard' takes I/N with I from 1 to N, such as 2/8, not '0/3'"},
        {"-o '{n}.npz' --shard 4/3",
         "option '--shard' takes I/N with I from 1 to N, such as 2/8, not '4/3'"},
        {"-o '{n}.npz' --shard 2",
         "option '--shard' takes I/N with I from 1 to N, such as 2/8, not '2'"},
        {"-o '{n}.npz' --shard 1/2x",
         "option '--shard' takes I/N with I from 1 to N, such as 2/8, not '1/2x'"},
        {"-o '{n}.npz' --layers x", "'x' is no list of layers; lists are like 0-3,5"},
    };

    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *line =
            xasprintf("gptscope dump --prompts p.txt --select logits %s", wrong[i].args);
        char *message = xasprintf("gptscope: %s" SEE, wrong[i].message);
        expect(line, 2, "", message);
        free(line);
        free(message);
    }
    expect("gptscope dump -p x --shard 1/2 --select logits -o x.npz", 2, "",
           "gptscope: --shard splits what --prompts gives, and there is none" SEE);
    expect("gptscope dump -p x --json --select logits -o - --format npz", 2, "",
           "gptscope: --json would come between the values on standard output; give a file "
           "with -o" SEE);
}

static void failures(void **state)
{
    (void) state;
    expect("gptscope dump --prompts no.txt --select logits -o '{n}.npz'", 1, "",
           "gptscope: cannot read 'no.txt': no such file or folder; check the path\n");
    expect("gptscope dump --prompts . --select logits -o '{n}.npz'", 1, "", NULL);
    expect("printf '\\n\\n' >e; gptscope dump --prompts e --select logits -o '{n}.npz'", 1,
           "0 written, 0 skipped, 0 failed\n", "gptscope: 'e': there are no prompts in it\n");
    expect("gptscope dump --prompts p.txt --select nothing -o '{n}.npz'", 1, "", NULL);
    expect("gptscope dump --prompts p.txt --select logits -o '{n}.npz' -m no.gguf", 1, "",
           NULL);
    /* a folder that cannot be made stops it: every other prompt would fail, too */
    expect("touch file; gptscope dump --prompts p.txt --select logits -o 'file/{n}.npz'", 1,
           "0 written, 0 skipped, 1 failed\n",
           "gptscope: p.txt:1: cannot write 'file/000001.npz': a part of the path is not a "
           "folder; check the path\n"
           "gptscope: stopped, as the files to come would fail, too; the same command goes on "
           "where it was\n");
}

/* Files by line number, folders made; the same bits as of a dump of its own. */
static void files(void **state)
{
    (void) state;
    expect("gptscope dump --prompts p.txt" SELECT "-o 'a/b/{n}.npz' && ls a/b &&"
           "gptscope dump -p 'The sun was red'" SELECT "-o one.npz &&"
           "cmp one.npz a/b/000005.npz &&"
           "gptscope dump -p 'Tom gave the blue ball'" SELECT "-o one.npz &&"
           "cmp one.npz a/b/000006.npz",
           0,
           "5 written, 0 skipped, 0 failed\n"
           "000001.npz\n000001.npz.json\n000002.npz\n000002.npz.json\n000004.npz\n"
           "000004.npz.json\n000005.npz\n000005.npz.json\n000006.npz\n000006.npz.json\n",
           "");
    /* a folder with a format; standard input */
    expect("mkdir o; gptscope dump --prompts - --select logits -o o --format npz <p.txt;"
           "gptscope dump --prompts p.txt --select logits -o new/ --format npy --no-sidecar;"
           "ls o new | grep -v json",
           0,
           "5 written, 0 skipped, 0 failed\n5 written, 0 skipped, 0 failed\n"
           "new:\n000001.npy\n000002.npy\n000004.npy\n000005.npy\n000006.npy\n\n"
           "o:\n000001.npz\n000002.npz\n000004.npz\n000005.npz\n000006.npz\n",
           "");
}

/* The sidecar's command makes that file again. */
static void its_command(void **state)
{
    (void) state;
    expect("printf \"it's\\nTom 'gave' \\$HOME\\n\\377\\n\" >q;"
           "gptscope dump --prompts q --select L0.q,logits --seed 3 --heads 0,2 -o '{n}.npz';"
           "for i in 1 2 3; do cp 00000$i.npz old.npz; rm 00000$i.npz;"
           "sed -n 's/^ \"command\": \\(\".*\"\\),$/\\1/p' 00000$i.npz.json |"
           " sed 's/^\"//; s/\"$//; s/\\\\\\\\/\\\\/g' >c; sh ./c && cmp old.npz 00000$i.npz; "
           "done",
           0, "3 written, 0 skipped, 0 failed\n", "");
}

static void json_lines(void **state)
{
    struct ran r;

    (void) state;
    r = check(
        "printf '%s\\n' '{\"prompt\": \"Tom gave\", \"id\": \"a-1\", \"more\": [1]}' "
        "'{\"ids\": [51, 370, 379], \"id\": 7}' '' '{\"prompt\": \"x\"}' "
        "'{\"prompt\": \"x\", \"id\": \"../up\"}' '{\"prompt\": \"x\", \"id\": \"a-1\"}' "
        "'{\"prompt\": \"x\", \"ids\": [1]}' '{\"id\": \"b\"}' '[1]' '{\"prompt\"' "
        "'{\"ids\": [51, -1], \"id\": \"c\"}' '{\"ids\": [99999], \"id\": \"d\"}' "
        "'{\"prompt\": 3, \"id\": \"e\"}' '{\"ids\": 3, \"id\": \"f\"}' "
        "'{\"prompt\": \"\", \"id\": \"g\"}' '{\"prompt\": \"x\", \"id\": 1.5}'>p.jsonl;"
        "gptscope dump --prompts p.jsonl --select logits -o 'o/{id}.npz'; ls o | grep -v json;"
        "cmp o/a-1.npz o/7.npz",
        0, "2 written, 0 skipped, 13 failed\n7.npz\na-1.npz\n", NULL);
    static const char *const messages[] = {
        ":4: there is no id for {id} in the file's name; {n} would do\n",
        ":5: the id '../up' cannot be in a file's name: letters, digits, '-', '_' and '.' can, "
        "up "
        "to 200, and no '.' at the beginning\n",
        ":6: the id 'a-1' was on line 1 already\n",
        ":7: both prompt and ids are given; one of them says the prompt\n",
        ":8: there is neither prompt nor ids\n",
        ":9: the line is no object such as {\"prompt\": \"Tom gave\"}\n",
        ":10: not valid JSON: line 1: ",
        ":11: ids must be a list of token ids such as [51, 370]\n",
        ":12: there is no token 99999; ids go from 0 to 2047\n",
        ":13: prompt must be a text\n",
        ":14: ids must be a list of token ids such as [51, 370]\n",
        ":15: the prompt has no tokens\n",
        ":16: id must be a text without NUL or a whole number\n",
    };
    const char *at = r.err.text;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        if (strncmp(at, "gptscope: p.jsonl", 17) ||
            strncmp(at + 17, messages[i], strlen(messages[i])))
            fail_msg("'%s' instead of '%s'", at, messages[i]);
        at = strchr(at, '\n') + 1;
    }
    assert_string_equal(at, "");
    ran_release(&r);
}

/* A prompt that fails does not stop the others. */
static void bad_prompts(void **state)
{
    (void) state;
    expect("{ echo Tom; yes word | head -n 300 | tr '\\n' ' '; echo; echo gave; } >q;"
           "gptscope dump --prompts q --select logits -o '{n}.npz'; echo $?; ls *.npz",
           0, "2 written, 0 skipped, 1 failed\n1\n000001.npz\n000003.npz\n", NULL);
    expect("gptscope dump --prompts p.txt --select logits --positions 4- -o '{n}.npz'", 1,
           "4 written, 0 skipped, 1 failed\n",
           "gptscope: p.txt:5: there is no position 4; the prompt has positions 0 to 3\n");
    expect("{ echo Tom; head -c 17000000 /dev/zero; echo; echo gave; } >q;"
           "gptscope dump --prompts q --select logits -o '{n}.npz'",
           1, "2 written, 0 skipped, 1 failed\n",
           "gptscope: q:2: the line is longer than 16 MB\n");
}

/* What is complete and the same is skipped; all else is done. */
static void going_on(void **state)
{
    (void) state;
    expect("export GPTSCOPE_CLOCK=0; d() { gptscope dump --prompts p.txt" SELECT
           "-o 'o/{n}.npz' \"$@\"; };"
           "d; cp -r o first; d; rm o/000002.npz; truncate -s 1000 o/000004.npz;"
           "rm o/000005.npz.json; printf x >>o/000006.npz; d; diff -r o first;"
           "d --heads 1; d --heads 1; d --layers 0-3; d; d -m tiny-llama;"
           "sed -i 's/blue/red/' p.txt; d -m tiny-llama; d -m tiny-llama --no-sidecar",
           0,
           "5 written, 0 skipped, 0 failed\n"
           "0 written, 5 skipped, 0 failed\n"
           "4 written, 1 skipped, 0 failed\n" /* and the same as before */
           "5 written, 0 skipped, 0 failed\n"
           "0 written, 5 skipped, 0 failed\n"
           "5 written, 0 skipped, 0 failed\n"
           "5 written, 0 skipped, 0 failed\n"
           "5 written, 0 skipped, 0 failed\n"
           "1 written, 4 skipped, 0 failed\n"
           "5 written, 0 skipped, 0 failed\n",
           "");
}

/* N processes at once do all, each file once, with the same bits; so do two that do the same.
 */
static void shards(void **state)
{
    (void) state;
    expect(
        "i=0; while [ $i -lt 23 ]; do i=$((i+1)); echo \"Tom gave $i red balls to Anna\";"
        "[ $i = 5 ] && echo; done >q; export GPTSCOPE_CLOCK=0;"
        "d() { gptscope dump --prompts q --select '*' -o 'o/{n}.npz' \"$@\"; };"
        "d; mv o whole; for i in 1 2 3; do d --shard $i/3 >$i & done; wait; cat 1 2 3;"
        "diff -r o whole && echo same; mv o three; d >1 & d >2 & wait; diff -r o whole && echo "
        "same; ls -A o | wc -l",
        0,
        "23 written, 0 skipped, 0 failed\n"
        "8 written, 0 skipped, 0 failed\n8 written, 0 skipped, 0 failed\n"
        "7 written, 0 skipped, 0 failed\nsame\nsame\n46\n",
        "");
}

/* Prompts that begin alike: the cache is used, and no bit depends on what came before. */
static void shared_beginnings(void **state)
{
    (void) state;
    expect(
        "printf '%s\\n' 'Tom gave the red ball to Anna. Anna' 'Tom gave the red ball to Anna' "
        "'Tom gave the red ball to Anna. Anna gave the red ball' 'Tom gave the red ball to' "
        "'Tom gave the red ball to' 'Tom gave the red ball to Anna. Anna' >q;"
        "d() { gptscope dump --chunk 4 --select '*' --no-sidecar \"$@\"; };"
        "d --prompts q -o 'o/{n}.npz'; tac q >r; d --prompts r -o 'back/{n}.npz';"
        "i=0; while read -r line; do i=$((i+1)); d -p \"$line\" -o one.npz;"
        "cmp one.npz o/00000$i.npz && cmp one.npz back/00000$((7-i)).npz && echo $i; done <q",
        0, "6 written, 0 skipped, 0 failed\n6 written, 0 skipped, 0 failed\n1\n2\n3\n4\n5\n6\n",
        "");
}

static void json_output(void **state)
{
    struct ran r =
        check("gptscope dump --prompts p.txt --select logits -o '{n}.npz' >/dev/null;"
              "rm 000002.npz; printf '\\n%0900d' 7 >>p.txt;"
              "gptscope dump --prompts p.txt --select logits -o '{n}.npz' --json",
              1, NULL, NULL);
    static const char *const status[] = {"skipped", "written", "skipped",
                                         "skipped", "skipped", "failed"};
    static const int lines[] = {1, 2, 4, 5, 6, 7};
    char *at = r.out.text;

    (void) state;
    for (int i = 0; i < 7; i++) {
        char *end = strchr(at, '\n');
        json_t *o = json_loadb(at, (size_t) (end - at), JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(o);
        if (i < 6) {
            assert_string_equal(json_string_value(json_object_get(o, "status")), status[i]);
            assert_int_equal(json_integer_value(json_object_get(o, "line")), lines[i]);
            assert_non_null(json_object_get(o, "file"));
        } else {
            assert_int_equal(json_integer_value(json_object_get(o, "failed")), 1);
        }
        if (i == 1)
            assert_int_equal(json_array_size(json_object_get(o, "values")), 3);
        json_decref(o);
        at = end + 1;
    }
    assert_string_equal(at, "");
    ran_release(&r);
    r = check("gptscope dump -p Tom --select L0.q,logits -o one.npz --json", 0, NULL, "");
    json_t *o = json_loads(r.out.text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "file")), "one.npz");
    assert_string_equal(json_string_value(json_object_get(o, "sidecar")), "one.npz.json");
    assert_int_equal(json_array_size(json_object_get(o, "values")), 4);
    json_decref(o);
    ran_release(&r);
}

/* --- stopped in the middle --- */

static void wait_for(const char *path)
{
    for (int tries = 0; access(path, F_OK) != 0; tries++) {
        assert_true(tries < 6000);
        poll(NULL, 0, 10);
    }
}

/* A batch that has done two prompts and waits for the third; *in is where they come from, *err
 * what it says. */
static pid_t start_batch(int *in, int *err)
{
    static const char two[] = "Tom gave the red ball\nAnna gave the red ball to Tom.\n";
    int from[2], to[2];

    assert_int_equal(pipe(from), 0);
    assert_int_equal(pipe(to), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(from[0], STDIN_FILENO);
        dup2(to[1], STDERR_FILENO);
        close(from[1]);
        close(to[0]);
        execlp("sh", "sh", "-c", "exec gptscope dump --prompts -" SELECT "-o 'o/{n}.npz' >sum",
               (char *) NULL);
        _exit(127);
    }
    close(from[0]);
    close(to[1]);
    assert_int_equal(write(from[1], two, sizeof two - 1), sizeof two - 1);
    wait_for("o/000002.npz.json");
    *in = from[1];
    *err = to[0];
    return pid;
}

/* Ends it so, and starts it again on all five. */
static int stop_with(int sig, char *said, size_t size)
{
    int in, err, status;

    expect("true", 0, "", "");
    assert_int_equal(chdir("d"), 0);
    pid_t pid = start_batch(&in, &err);
    kill(pid, sig);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ssize_t n = read(err, said, size - 1);
    said[n > 0 ? n : 0] = '\0';
    close(in);
    close(err);
    assert_int_equal(chdir(".."), 0);
    struct ran r = shell("cd d; gptscope dump --prompts p.txt" SELECT "-o 'o/{n}.npz'");
    assert_string_equal(r.err.text, "");
    assert_string_equal(r.out.text, "3 written, 2 skipped, 0 failed\n");
    ran_release(&r);
    return status;
}

static void stopped(void **state)
{
    char said[512];
    int status = stop_with(SIGINT, said, sizeof said);

    (void) state;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_string_equal(said, "gptscope: interrupted; the same command goes on where it was\n");
    struct ran r = shell("cat d/sum");
    assert_string_equal(r.out.text, "2 written, 0 skipped, 0 failed\n");
    ran_release(&r);
    status = stop_with(SIGKILL, said, sizeof said);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(failures),
        cmocka_unit_test(files),
        cmocka_unit_test(its_command),
        cmocka_unit_test(json_lines),
        cmocka_unit_test(bad_prompts),
        cmocka_unit_test(going_on),
        cmocka_unit_test(shards),
        cmocka_unit_test(shared_beginnings),
        cmocka_unit_test(json_output),
        cmocka_unit_test(stopped),
    };
    return cmocka_run_group_tests(tests, shell_enter, shell_leave);
}
