/* Branches: what is kept, what stays computed, and the tokens of each, on both models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "session_fixture.h"

#include <stdlib.h>
#include <string.h>

static int token_of(const struct session *s, const char *text)
{
    struct ids ids = IDS_INIT;
    int id;

    OK(tokenizer_encode(s->tokenizer, text, strlen(text), 0, &ids, &err));
    assert_int_equal(ids.n, 1);
    id = ids.id[0];
    ids_release(&ids);
    return id;
}

static void assert_text(const struct session *s, const char *want)
{
    struct str text = STR_INIT;
    int skip = tokenizer_adds_bos(s->tokenizer) && s->ids.id[0] == tokenizer_bos(s->tokenizer);

    tokenizer_decode(s->tokenizer, s->ids.id + skip, s->ids.n - skip, &text);
    assert_string_equal(text.text, want);
    str_release(&text);
}

static int position(const struct session *s, int id)
{
    for (int i = 0; i < s->ids.n; i++)
        if (s->ids.id[i] == id)
            return i;
    fail_msg("token %d is not there", id);
    return -1;
}

static void test_fork(void **state)
{
    (void) state;
    for (int m = 0; m < N_MODELS; m++) {
        struct session *s = open_plain(models[m], TEXT);
        int n = s->ids.n, at = position(s, token_of(s, " red")) - 1;

        OK(session_run(s, 0, NULL, &err));
        OK(branch_fork(s, token_of(s, " blue"), at, &err));
        assert_text(s, "Tom gave the blue");
        assert_string_equal(s->prompt.text, "Tom gave the");
        assert_int_equal(s->n_prompt, at + 1);
        assert_int_equal(run_n_past(s->run), at + 1); /* the common part stays computed */
        assert_int_equal(session_pending(s), 1);
        assert_int_equal(s->branches.n, 2);
        assert_int_equal(s->branches.present, 2);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "branched");
        OK(session_append(s, token_of(s, " ball"), &err)); /* belongs to branch 2 */
        OK(branch_back(s, &err));
        assert_text(s, TEXT);
        assert_string_equal(s->prompt.text, TEXT);
        assert_int_equal(s->n_prompt, n);
        assert_int_equal(run_n_past(s->run), at + 1);
        assert_int_equal(s->branches.present, 1);
        OK(session_run(s, 0, NULL, &err));
        same_as_fresh(s, "back");
        OK(branch_go(s, 2, &err));
        assert_text(s, "Tom gave the blue ball");
        OK(branch_back(s, &err));
        OK(branch_fork(s, token_of(s, " blue"), at, &err)); /* there is one: no third */
        assert_text(s, "Tom gave the blue ball");
        assert_int_equal(s->branches.n, 2);
        session_free(s);
    }
}

/* Forks of forks, and what generating adds to a branch. */
static void test_tree(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-llama", TEXT);
    struct str list = STR_INIT;
    int id, n = s->ids.n;

    s->set.sampler.temp = 0;
    branches_print(s, &list);
    assert_string_equal(list.text, "there are no branches; 'branch TOKEN' makes one\n");
    for (int i = 0; i < 3; i++)
        OK(session_generate(s, &id, &err));
    OK(branch_fork(s, token_of(s, " gave"), n - 1, &err));
    OK(session_generate(s, &id, &err));
    OK(session_generate(s, &id, &err));
    OK(branch_fork(s, token_of(s, " red"), n + 1, &err));
    assert_int_equal(s->branches.n, 3);
    assert_int_equal(s->branches.item[2].parent, 2);
    assert_int_equal(s->branches.item[2].fork, n + 2);
    OK(branch_go(s, 1, &err));
    assert_int_equal(s->ids.n, n + 3);
    assert_int_equal(s->n_prompt, n);
    OK(branch_go(s, 2, &err));
    assert_int_equal(s->ids.n, n + 3);
    OK(session_run(s, 0, NULL, &err));
    same_as_fresh(s, "branch 2");
    OK(branch_back(s, &err));
    assert_int_equal(s->branches.present, 1);
    str_clear(&list);
    branches_print(s, &list);
    assert_non_null(strstr(list.text, "*  1  "));
    assert_non_null(strstr(list.text, "   3  from 2 at "));
    OK(session_load(s, "tiny-gpt2", &err)); /* other tokens */
    assert_int_equal(s->branches.n, 0);
    str_release(&list);
    session_free(s);
}

static void test_ends(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    int n = s->ids.n, ball = token_of(s, " ball");

    FAILS(branch_back(s, &err), "there is no branch to go back to");
    FAILS(branch_go(s, 1, &err), "there is no branch 1; 'branches' lists them");
    FAILS(branch_fork(s, -1, 2, &err), "there is no token -1; ids go from 0 to 2047");
    FAILS(branch_fork(s, ball, n, &err),
          "there is no position 10 to branch after; they go from 0 to 9");
    FAILS(branch_fork(s, s->ids.id[3], 2, &err),
          "this is the token that comes after position 2 already");
    OK(branch_fork(s, ball, n - 1, &err)); /* nothing comes there: nothing to keep */
    assert_int_equal(s->ids.n, n + 1);
    assert_int_equal(s->branches.n, 0);
    OK(branch_fork(s, ball, 0, &err)); /* computed or not */
    assert_int_equal(s->ids.n, 2);
    OK(session_set(s, "ctx", "8", &err));
    FAILS(branch_go(s, 1, &err),
          "the prompt is 11 tokens long, but the context has room for 8; 'set ctx 256' makes "
          "it longer");
    assert_int_equal(s->ids.n, 2);
    assert_int_equal(s->branches.present, 2);
    session_truncate(s, 0);
    FAILS(branch_fork(s, ball, 0, &err),
          "there is no position 0 to branch after; they go from 0 to -1");
    session_free(s);
}

/* What was drawn is remembered with its place. */
static void test_chosen(void **state)
{
    (void) state;
    struct session *s = open_plain("tiny-gpt2", TEXT);
    float *before;
    int id;

    OK(session_run(s, 0, NULL, &err));
    before = logits_of(s);
    OK(session_generate(s, &id, &err));
    assert_int_equal(s->chosen.at, s->ids.n - 1);
    assert_int_equal(s->chosen.id, id);
    assert_true(s->chosen.draw.drawn);
    OK(session_run(s, 0, NULL, &err));

    float *again = xcalloc((size_t) s->program->hp.n_vocab, sizeof *again);
    double worst = 0;
    assert_true(session_logits_after(s, s->ids.n - 2, again)); /* derived */
    for (int i = 0; i < s->program->hp.n_vocab; i++)
        worst =
            worst > (double) (before[i] - again[i]) ? worst : (double) (before[i] - again[i]);
    print_message("logits derived: largest difference %.2g\n", worst);
    assert_true(worst < 1e-4);
    assert_int_equal(session_candidates_at(s), s->ids.n - 1);
    s->set.logits_at = LOGITS_CURSOR;
    s->at.query = 3;
    assert_int_equal(session_candidates_at(s), 3);
    session_forget(s, 2);
    assert_int_equal(session_candidates_at(s), -1);
    assert_false(session_logits_after(s, -1, again));
    assert_false(session_logits_after(s, 3, again));
    free(before);
    free(again);
    session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_chosen),
    };

    return cmocka_run_group_tests(tests, session_setup, session_teardown);
}
