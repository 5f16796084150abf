/* The command language: every row's example runs, every command fails in plain words, every key
 * and every help text is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "command/keys.h"
#include "command_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_examples(void **state)
{
    (void) state;
    put_file("example.gpt", "step\n");
    for (const struct command *c = command_table; c->name; c++) {
        struct fixture f;
        open_fixture(&f, TEXT, !strcmp(c->group, "screen"));
        if (!command_run(&f.env, c->example, &f.err))
            fail_msg("%s: %s", c->example, f.err.text);
        assert_safe(f.out.text);
        assert_non_null(strstr(c->example, c->name));
        close_fixture(&f);
    }
    assert_int_equal(access("pattern.npy", R_OK), 0);
}

// clang-format off
static const struct {
    const char *line, *message;
} wrong[] = {
    {"prompt \"Tom", "the quote at column 8 is not closed"},
    {"prompt \"a\" b", "prompt: nothing may follow the closing quote; usage: prompt [TEXT]"},
    {"prompt \"a\"b", "a blank is missing after the closing quote at column 10"},
    {"prompt \"\\q\"", "no escape begins '\\q'; there are \\n \\t \\r \\\" \\\\ \\xHH \\uHHHH"},
    {"ids 1,x", "'x' does not begin with a token id; ids are like 1,2,3"},
    {"ids 1,99999", "there is no token 99999; ids go from 0 to 2047"},
    {"ids", "ids: IDS is missing; usage: ids IDS"},
    {"append 99999", "there is no token 99999; ids go from 0 to 2047"},
    {"truncate 99", "there are 10 tokens; truncate takes 0 to 10, not 99"},
    {"truncate x", "truncate: 'x' is not a whole number; usage: truncate N"},
    {"truncate", "truncate: N is missing; usage: truncate N"},
    {"tokens all", "tokens: 'all' is too much; usage: tokens"},
    {"generate 0", "a count goes from 1 to 1000000, not 0"},
    {"generate x", "generate: 'x' is not a whole number; usage: generate [N]"},
    {"load", "load: MODEL is missing; usage: load MODEL"},
    {"step foo", "step: 'foo' is neither op, layer or token nor a whole number; "
                 "usage: step [op|layer|token] [N]"},
    {"step op foo", "step: 'foo' is not a whole number; usage: step [op|layer|token] [N]"},
    {"step 1 2", "step: '2' is too much; usage: step [op|layer|token] [N]"},
    {"step -1", "a count goes from 1 to 1000000, not -1"},
    {"run; step", "all 10 tokens are computed; generate makes the next one"},
    {"prompt \"\"; run", "there are no tokens yet; give a prompt first"},
    {"run 3", "run: '3' is too much; usage: run"},
    {"until sofmax", "until: there is no op 'sofmax'; did you mean 'softmax'?; usage: until [OP]"},
    {"until 4096", "until: there is no op 4096; the program has ops 0 to 69; usage: until [OP]"},
    {"until L9.softmax", "until: there is no layer 9; the model has layers 0 to 3; usage: until [OP]"},
    {"back", "this is the beginning: nothing has been computed"},
    {"run; branch 99999", "there is no token 99999; ids go from 0 to 2047"},
    {"run; branch \" blue\" 12", "there is no position 12 to branch after; they go from 0 to 9"},
    {"branch", "no logits are computed yet; run comes first"},
    {"branches x", "branches takes the number of a branch or back, not 'x'"},
    {"branches 3", "there is no branch 3; 'branches' lists them"},
    {"candidate", "no logits are computed yet; run comes first"},
    {"run; candidate 0", "ranks go from 1 to 2048, not 0"},
    {"run; candidate next", "nothing comes after position 9 yet"},
    {"run; play", "all 10 tokens are computed; generate makes the next one"},
    {"speed 9", "speed takes a number from 0 to 6, +N, -N, first or last, not '9'"},
    {"break sofmax", "there is no op 'sofmax'; did you mean 'softmax'?"},
    {"break \"\"", "there is no op ''; 'show program' lists them"},
    {"break 4096", "there is no op 4096; the program has ops 0 to 69"},
    {"break L9", "there is no layer 9; the model has layers 0 to 3"},
    {"break L1.H2.mask", "a head's breakpoint comes after its softmax: 'break L1.H2'"},
    {"break softmax L1", "'L1' is too much; see help break"},
    {"break entropy L1.H2", "give a head (or a layer, or neither) and a limit in nats: 'break "
                            "entropy L2.H3 < 0.5'"},
    {"break entropy < few", "give a head (or a layer, or neither) and a limit in nats: 'break "
                            "entropy L2.H3 < 0.5'"},
    {"break entropy L9 < 1", "there is no layer 9; the model has layers 0 to 3"},
    {"break token", "which token? For example: break token \" Anna\""},
    {"break 2 off", "there is no breakpoint 2; 'break' lists them"},
    {"unbreak 1", "there is no breakpoint 1; 'break' lists them"},
    {"explain", "blocks.0.attn.pattern is not computed at position 9 yet; step on or run"},
    {"run; explain embed 3,4; explain largest", "this is made of nothing further"},
    {"run; explain L1.q 10,3", "blocks.1.attn.q has pos 0 to 9, not 10"},
    {"run; explain L1.q 3,32", "blocks.1.attn.q has d_head 0 to 31, not 32"},
    {"run; explain L1.q 3,x", "'3,x' is no cell of blocks.1.attn.q; its cells are pos,d_head"},
    {"run; explain logits 3,99999", "logits has vocab 0 to 2047, not 99999"},
    {"run; explain logits 3,xyzzyx", "'xyzzyx' is 5 tokens, not one; give one token or an id"},
    {"run; explain L*.q", "'L*.q' is more than one value; one cell is explained at a time"},
    {"select L9", "there is no layer 9; the model has layers 0 to 3"},
    {"select L1.H9", "there is no head 9; the model has heads 0 to 5"},
    {"select L1.H1.foo", "there is no stage 'foo'; the stages are raw, scaled, masked, softmax "
                         "and z"},
    {"select 8,99", "there is no such cell; queries and keys go from 0 to 9"},
    {"select foo", "'foo' is no place; places are like L2, H3, L2.H3, L2.H3.softmax or 8,6 "
                   "(query, key)"},
    {"layer 4", "layer takes a number from 0 to 3, +N, -N, first or last, not '4'"},
    {"head x", "head takes a number from 0 to 5, +N, -N, first or last, not 'x'"},
    {"query 10", "query takes a number from 0 to 9, +N, -N, first or last, not '10'"},
    {"prompt \"\"; query 0", "there are no tokens yet; give a prompt first"},
    {"column x", "column takes a number from 0 to 191, +N, -N, first or last, not 'x'"},
    {"value nothing", "no value 'nothing'; names are like blocks.0.attn.pattern, L0.H1.pattern, logits"},
    {"calc L0.H1.pattern[1,1]", "blocks.0.attn.pattern is not computed yet; step or run first"},
    {"run; calc 1 +", "'1 +' ends where a number or a name is expected"},
    {"run; calc summ(1)", "there is no function 'summ'; did you mean 'sum'?"},
    {"verify x", "verify: 'x' is too much; usage: verify"},
    {"neuron 768", "neuron takes a number from 0 to 767, +N, -N, first or last, not '768'"},
    {"key 1.5", "key takes a number from 0 to 9, +N, -N, first or last, not '1.5'"},
    {"stage foo", "there is no stage 'foo'; the stages are raw, scaled, masked, softmax and z"},
    {"point L1.foo", "there is no point 'L1.foo'; points are like embed, L0.attn and L0.mlp"},
    {"point \"\"", "point takes a number from 0 to 8, +N, -N, first or last, not ''"},
    {"point 9", "point takes a number from 0 to 8, +N, -N, first or last, not '9'"},
    {"stage 7", "stage takes a number from 0 to 4, +N, -N, first or last, not '7'"},
    {"op 4096", "there is no op 4096; the program has ops 0 to 69"},
    {"op sofmax", "there is no op 'sofmax'; did you mean 'softmax'?"},
    {"op +x", "op takes a number from 0 to 69, +N, -N, first or last, not '+x'"},
    {"move sideways", "move: 'sideways' is not left, right, up or down; "
                      "usage: move left|right|up|down [N]"},
    {"move", "move: WHERE is missing; usage: move left|right|up|down [N]"},
    {"show pattern", "blocks.0.attn.pattern is not computed yet; step or run first"},
    {"run; show pattern x", "show: 'x' is not a whole number; usage: show [WHAT] [ROWS]"},
    {"logits", "no logits are computed yet; run comes first"},
    {"expect", "expect: CLAIM is missing; usage: expect CLAIM"},
    {"run; expect n > 11", "expected n > 11, but it is 10 and 11"},
    {"run; expect n", "'n' compares nothing; a claim is like L1.H4.pattern[8,7] > 0.9"},
    {"run; expect at(7) = \" Ben\"", "expected at(7) = \" Ben\", but it is \" Anna\" and \" Ben\""},
    {"run; expect n = 10 and argmax(L0.H3.pattern[7]) = 5",
     "expected argmax(L0.H3.pattern[7]) = 5, but it is 6 and 5"},
    {"expect L0.H3.pattern[7,6] > 0", "blocks.0.attn.pattern is not computed yet; step or run first"},
    {"info x", "info: 'x' is too much; usage: info"},
    {"lens", "nothing is computed yet; run first"},
    {"lens foo", "'foo' is neither a position (a number, first, last) nor a point like embed, "
                 "L0.attn or L0.mlp"},
    {"run; lens 10", "lens takes a number from 0 to 9, +N, -N, first or last, not '10'"},
    {"run; lens \"\"", "lens takes a number from 0 to 9, +N, -N, first or last, not ''"},
    {"run; lens L9.mlp", "there is no layer 9; the model has layers 0 to 3"},
    {"run; lens 3 0", "a count goes from 1 to 1000000, not 0"},
    {"step layer; lens L2.mlp", "blocks.2.resid_post is not computed at position 0 yet; run first"},
    {"attribute", "no logits are computed yet; run comes first"},
    {"attribute 5 at 3", "nothing is computed yet; run first"},
    {"run; attribute at", "after which position? For example: attribute at 3"},
    {"run; attribute at 10", "attribute at takes a number from 0 to 9, +N, -N, first or last, not "
                             "'10'"},
    {"run; attribute 99999", "there is no token 99999; ids go from 0 to 2047"},
    {"run; attribute 1 xyzzyx", "'xyzzyx' is 5 tokens, not one; give one token or an id"},
    {"run; attribute 1 2 3", "'3' is too much: a logit, or the difference of two"},
    {"run; attribute list 0", "a count goes from 1 to 1000000, not 0"},
    {"headscores", "nothing is computed yet; run first"},
    {"headscores 3 5", "only random sequences have a length; see help headscores"},
    {"headscores random 5 129", "a sequence has 2 to 128 ids here, which are then repeated, not 129"},
    {"headscores foo", "headscores: 'foo' is neither job, previous, induction, duplicate, sink, "
                       "self, entropy or largest nor a whole number; usage: headscores "
                       "[job|previous|induction|duplicate|sink|self|entropy|largest] [random] [N] "
                       "[LENGTH] [SEQUENCES]"},
    {"rollout", "nothing is computed yet; run first"},
    {"prompt \"\"; rollout", "there are no tokens yet; give a prompt first"},
    {"run; rollout 3 4", "there is no layer 4; the model has layers 0 to 3"},
    {"step layer 2; rollout 3", "blocks.3.attn.pattern is not computed at position 3 yet; run first"},
    {"entropy", "nothing is computed yet; run first"},
    {"run; entropy L1.H9", "there is no head 9; the model has heads 0 to 5"},
    {"run; entropy L1.H1.q", "'L1.H1.q' is more than a head; a head is like L2.H3"},
    {"run; entropy \"\"", "entropy takes a number from 0 to 9, +N, -N, first or last, not ''"},
    {"run; entropy x", "entropy takes a number from 0 to 9, +N, -N, first or last, not 'x'"},
    {"similarity", "nothing is computed yet; run first"},
    {"run; similarity pattern", "blocks.0.attn.pattern has a row a head and query; positions are "
                                "compared of values like resid_post, attn.q or logits"},
    {"run; similarity tokens", "tokens are ids and have no direction; compare embed"},
    {"run; similarity L*.q", "'L*.q' is more than one value; the positions of one are compared at "
                             "a time"},
    {"run; similarity embed 10", "similarity takes a number from 0 to 9, +N, -N, first or last, not "
                                 "'10'"},
    {"run; similarity 3 4", "name the value before the position, as in 'similarity resid_post 3'"},
    {"nearest 99999", "there is no token 99999; ids go from 0 to 2047"},
    {"prompt \"\"; nearest", "there are no tokens yet; name one, as in 'nearest \" ball\"'"},
    {"dump pattern", "dump: FILE is missing; usage: dump VALUES FILE [OPTIONS]"},
    {"dump pattern x.npz", "nothing is computed yet; run first"},
    {"run; dump pattern -", "dump writes to a file here; for standard output there is gptscope dump -o -"},
    {"run; dump pattern x.npz heds=1", "'heds=1' is no option of dump; did you mean 'heads='?"},
    {"run; dump pattern x.npz whatever", "'whatever' is no option of dump; they are layers=, heads=, "
                                         "positions=, format= and sidecar="},
    {"run; dump pattern x.npz heads", "'heads' is no option of dump; did you mean 'heads='?"},
    {"run; dump pattern x.npz sidecar=no", "sidecar is on or off, not 'no'"},
    {"run; dump pattern x.npz layers=9", "there is no layer 9; the model has layers 0 to 3"},
    {"run; dump pattern x.npz heads=2-9", "there is no head 9; the model has heads 0 to 5"},
    {"run; dump pattern x.npz heads=", "'' is no list of heads; lists are like 0-3,5"},
    {"run; dump pattern x.npz positions=7-12", "there is no position 12; the prompt has positions 0 to 9"},
    {"run; dump pattern x.npz positions=-3", "'-3' says no positions; they are like 4, 4-9, 4-, last or last5"},
    {"run; dump L0.q x.npz layers=1", "nothing of what is selected is in these layers"},
    {"run; dump L0.H1.q x.npz heads=2", "nothing of what is selected is in these heads"},
    {"run; dump L0.q,L0.k x.npy", "npy holds one value and 2 are selected: use npz"},
    {"run; dump logits x.html", "x.html: html shows attention, as L5.H1.pattern or "
                                "blocks.*.attn.pattern; for logits use png, svg or csv"},
    {"run; dump tokens x.png", "x.png: tokens are no picture; select a value with numbers, as "
                               "blocks.0.attn.pattern, or write csv"},
    {"run; dump pattern no/x.npz", "cannot write 'no/x.npz': no such file or folder; check the path"},
    {"ablate L2", "'L2' is nothing to ablate; that is a head (L2.H3), mlp, attn or an edge "
                  "(L2.mlp, L2.H3.edge)"},
    {"ablate foo", "'foo' is no place; places are like L2, H3 or L2.H3"},
    {"ablate mlp 9", "there is no layer 9; the model has layers 0 to 3"},
    {"ablate L2.H1 foo", "'foo' is neither mean nor a layer"},
    {"ablate edge mean", "an edge is knocked out, it has no mean"},
    {"ablate edge 3,5", "key 5 comes after query 3: the mask hides it"},
    {"ablate edge 3,99", "there is no such cell; queries and keys go from 0 to 9"},
    {"ablate edge 0,0", "query 0 of L0.H0 would have no key left to look at: one of keys 0 to 0 "
                        "must stay"},
    {"ablate edge 1,0; ablate edge 1,1", "query 1 of L0.H0 would have no key left to look at: "
                                         "one of keys 0 to 1 must stay"},
    {"stage z; ablate edge", "the cursor is on a channel of weighted V; choose an edge in an "
                             "earlier stage, or name it as in 'ablate edge 8,6'"},
    {"prompt \"\"; ablate edge", "there are no tokens yet; give a prompt first"},
    {"ablate L2.H1 mean", "blocks.2.attn.z is not computed there yet; run first"},
    {"run; ablate; ablate mean", "there is 'zero blocks.0.attn.z[:, 0, :]' already; 'clear 1' "
                                 "takes it back"},
    {"patch pattern", "patch: HOW is missing; usage: patch VALUE "
                      "zero|scale|set|add|mean|from [X] [POS]"},
    {"patch pattern scale", "scale needs a number, as in 'patch pattern scale 0.5'"},
    {"patch pattern zero 1", "zero takes no number; scale, set and add do"},
    {"patch pattern scale x", "'x' is not a number"},
    {"patch pattern from", "from takes numbers of the mark or of a dump, as in 'patch pattern from "
                           "mark' or 'patch pattern from pass.npz'"},
    {"patch pattern from here", "cannot read 'here': no such file or folder; check the path"},
    {"run; dump logits one.npz; patch L0.mlp_out from one.npz",
     "'one.npz' has no array that is blocks.0.mlp_out"},
    {"run; dump L0.H1.z mlp.npy; patch L0.mlp_out from mlp.npy",
     "'mlp.npy': array 'blocks.0.mlp_out': shape [10, 32] does not fit [pos 10, d_model 192]"},
    {"run; dump L0.mlp_out mlp.npy; patch L0-1.mlp_out from mlp.npy",
     "an .npy file holds one value, and 2 are to be changed"},
    {"run; dump L0.mlp_out one.npz; append 5; patch L0.mlp_out from one.npz 10",
     "'one.npz': it has no position 10, only 0 to 9"},
    {"run; dump L0.ln1.mean one.npz; patch L0.ln1.mean from one.npz",
     "blocks.0.ln1.mean cannot be changed: nothing later reads it; change its op's output"},
    {"patch pattern from mark", "nothing is marked; mark keeps the present run to compare with"},
    {"patch pattern scale 2 10", "there is no position 10; there are 10 tokens"},
    {"patch pattern mean", "the mean of blocks.0.attn.pattern over positions means nothing; zero "
                           "it instead"},
    {"scale L2", "scale: X is missing; usage: scale WHERE X [POS]"},
    {"scale L2 0.5", "'L2' is nothing to scale; that is a head (L2.H3), L2.mlp, L2.attn or a "
                     "value"},
    {"scale L9.H1 0.5", "there is no layer 9; the model has layers 0 to 3"},
    {"scale L1.mlp much", "scale: 'much' is not a number; usage: scale WHERE X [POS]"},
    {"scale L1.mlp 2 10", "there is no position 10; there are 10 tokens"},
    {"edge 3,5", "key 5 comes after query 3: the mask hides it"},
    {"edge L1.H1 3,1 on", "the edge 3,1 of L1.H1 is not knocked out"},
    {"edge L1.mlp 3,1", "'L1.mlp' is no head; heads are like L2.H3"},
    {"edge L1.H9", "there is no head 9; the model has heads 0 to 5"},
    {"edge 3,99", "there is no such cell; queries and keys go from 0 to 9"},
    {"replace sofmax zero", "there is no op 'sofmax'; did you mean 'softmax'?"},
    {"replace L2.softmax unifrom", "'unifrom' does not fit L2.softmax (did you mean 'uniform'?); "
                                   "there is uniform, hardmax, no-max-subtraction or sigmoid"},
    {"replace L2.softmax relu", "'relu' does not fit L2.softmax; there is uniform, hardmax, "
                                "no-max-subtraction or sigmoid"},
    {"replace L2.H1.softmax uniform", "an op is replaced for all heads: 'L2.softmax'"},
    {"replace L9.softmax uniform", "there is no layer 9; the model has layers 0 to 3"},
    {"replace s uniform", "'s' could be any of scores, scale, softmax"},
    {"replace lm_head zero", "lm_head keeps its function: the sampler and the lens read the "
                             "logits as they are"},
    {"replace probs zero", "nothing can take the place of softmax"},
    {"replace linear identity", "identity does not fit L0.mlp_up"},
    {"replace mask window", "window needs a number, N: s_ij = -inf where j > i or j <= i - N"},
    {"replace mask window 1.5", "window takes a whole number from 1 to 1.67772e+07, not '1.5'"},
    {"replace mask none 3", "none takes no number"},
    {"replace scale by 0", "by takes a number from 1e-06 to 1e+06, not '0'"},
    {"steer 9 1", "there is no layer 9; the model has layers 0 to 3"},
    {"steer 1 0", "a direction is added X times; X is a number other than 0"},
    {"steer 1 1", "nothing is marked; mark keeps the present run to compare with"},
    {"steer 1 1 99999", "there is no token 99999; ids go from 0 to 2047"},
    {"steer 1 1 5", "nothing is computed yet; run first"},
    {"run; mark; steer 1 1 mark", "the mark is the same there: no direction to steer in"},
    {"run; mark; append 5; steer 1 1", "position 10 is not computed in both; the run has 10, the "
                                       "mark 10"},
    {"mark", "nothing is computed yet; run first"},
    {"mark clear", "nothing is marked; mark keeps the present run to compare with"},
    {"run; mark recomputed a", "mark recomputed takes no label"},
    {"compare", "nothing is marked; mark keeps the present run to compare with"},
    {"compare maybe", "compare: 'maybe' is not on, off or toggle; usage: compare "
                      "[on|off|toggle]"},
    {"diff", "diff: FILE is missing; usage: diff FILE [TOL]"},
    {"diff x.npz", "nothing is computed yet; run first"},
    {"run; diff x.npz", "cannot read 'x.npz': no such file or folder; check the path"},
    {"run; diff example.gpt",
     "'example.gpt': not a dump: neither npz, npy nor safetensors by its first bytes"},
    {"run; diff x.npz 0", "a tolerance is a number above 0, as in 'diff x.npz 1e-3'"},
    {"run; diff x.npz small", "diff: 'small' is not a number; usage: diff FILE [TOL]"},
    {"run; dump logits one.npz; prompt Tom gave the blue; run; diff one.npz",
     "the tokens differ at position 4: 786 \xc2\xb7red in A, 787 \xc2\xb7" "blue in B; give both the same "
     "prompt"},
    {"run; dump logits mlp.npy sidecar=off; append 5; run; diff mlp.npy",
     "'mlp.npy' does not say which value it holds; dump it as npz, or compare it with 'gptscope "
     "diff --value NAME'"},
    {"clear", "there are no ablations to clear"},
    {"ablate; clear 2", "there is no ablation 2; they go from 1 to 1"},
    {"lesson nothing", "there is no lesson 'nothing'; 'lesson list' names the 24 there are"},
    {"checklist 11", "there is no item '11'; the checklist has 1 to 10"},
    {"checklist 0", "there is no item '0'; the checklist has 1 to 10"},
    {"checklist masks", "there is no item 'masks'; the checklist has 1 to 10"},
    {"game a", "no game is on; 'game' begins one"},
    {"game; game sofmax", "there is no card 'sofmax'; did you mean 'softmax'?"},
    {"answer a", "no lesson is open; 'lesson' opens one"},
    {"exercise chekc", "'chekc' is not list, start, check, hint or solution; did you mean 'check'?"},
    {"exercise check", "which exercise? 'exercise list' names them"},
    {"exercise check atention", "there is no exercise 'atention'; did you mean 'attention'?"},
    {"exercise solution 10", "there is no exercise '10'; 'exercise list' names the 9 there are"},
    {"exercise check gqa", "there is no gqa.c in 'gqa'; 'exercise start gqa' writes it"},
    {"exercise hint mlp glue", "exercise mlp has no TODO 'glue', but linear, gelu and mlp"},
    {"exercise start mlp /dev/null", "cannot make the folder '/dev/null': File exists"},
    {"watch gqa", "there is no gqa.c in 'gqa'; 'exercise start gqa' writes it"},
    {"set temp hot", "temp takes a number from 0 to 100, not 'hot'"},
    {"set ctx 4", "a context of 4 has no room for the 10 tokens there are; truncate first"},
    {"unset", "unset: NAME is missing; usage: unset NAME"},
    {"cycle temp", "temp is a number and cannot be cycled; use set temp N"},
    {"view", "view: VIEW is missing; usage: view VIEW"},
    {"panel x", "panel: 'x' is not next or previous; usage: panel [next|previous]"},
    {"maximise x", "maximise: 'x' is too much; usage: maximise"},
    {"find", "find: TEXT is missing; usage: find TEXT [next|previous]"},
    {"find zzqq", "'zzqq' is in no token, value, op, command, key or setting"},
    {"find \"\"", "find takes a text of 1 to 127 bytes"},
    {"match", "nothing is searched; find TEXT does"},
    {"find anna; match end; match", "nothing is searched; find TEXT does"},
    {"search", "search needs the full screen; 'find TEXT' searches here"},
    {"record no/such/folder/x", "cannot write 'no/such/folder/x': no such file or folder; check the path"},
    {"resize", "resize: WHERE is missing; usage: resize left|right|up|down [N]"},
    {"view map; resize up", "this panel has no edge there that could be moved"},
    {"maximise; resize left 3", "this panel has no edge there that could be moved"},
    {"resize left 0", "a count goes from 1 to 1000000, not 0"},
    {"layout reset 3", "layout reset takes no number"},
    {"layout left", "layout left takes a number of cells from -1000 to 1000"},
    {"layout low 1001", "layout low takes a number of cells from -1000 to 1000"},
    {"scroll", "scroll: N is missing; usage: scroll N [VIEW]"},
    {"scroll 1000000", "scroll takes a number of rows from -100000 to 100000"},
    {"open x", "open: 'x' is too much; usage: open"},
    {"close x", "close: 'x' is not quit; usage: close [quit]"},
    {"keys x", "keys: 'x' is too much; usage: keys"},
    {"command-line", "command-line needs the full screen; type the command itself"},
    {"edit", "edit needs the full screen; 'prompt TEXT' gives a new one"},
    {"screenshot a.bmp",
     "'a.bmp' does not end like a picture: .txt, .ansi, .html, .svg or .png"},
    {"exit", "there is no command 'exit'; did you mean 'quit'?"},
    {"help nowhere", "there is no help on 'nowhere'; 'help' lists the commands and topics"},
    {"help stpe", "there is no help on 'stpe'; did you mean 'step'?"},
    {"source", "source: FILE is missing; usage: source FILE"},
    {"history 0", "the last N commands; N is 1 or more"},
    {"again 9", "there is no command 9; 'history' has 1 to 0"},
    {"again", "nothing was done yet"},
    {"echo \"a", "the quote at column 6 is not closed"},
    {"version x", "version: 'x' is too much; usage: version"},
    {"quit now", "quit: 'now' is too much; usage: quit"},
    {"stpe", "there is no command 'stpe'; did you mean 'step'?"},
    {"zzzzzz", "there is no command 'zzzzzz'; 'help' lists them"},
    {"cl", "'cl' could be any of clear, close"},
    {"\"\"", "there is no command ''; 'help' lists them"},
    {"step lyaer", "step: 'lyaer' is neither op, layer or token nor a whole number; did you mean "
                   "'layer'?; usage: step [op|layer|token] [N]"},
    {"compare o", "compare: 'o' could be any of on, off; usage: compare [on|off|toggle]"},
    {"panel nxt", "panel: 'nxt' is not next or previous; did you mean 'next'?; usage: panel "
                  "[next|previous]"},
    {"view atention", "view: there is no view 'atention' (did you mean 'attention'?); the views are "
                      "map, attention, heads, logits, explain, program, mlp, compare, cache, "
                      "tensor, model, tokens, residual, lesson, game, log, help; usage: view VIEW"},
    {"view m", "view: 'm' could be any of map, mlp, model; usage: view VIEW"},
    {"unset tmep", "unset: there is no setting 'tmep' (did you mean 'temp'?); the settings are temp, "
                   "top-k, top-p, min-p, seed, ignore-eos, ctx, chunk, threads, scale, hide-sink, "
                   "lens, logits-at, merges, speed, zoom, heads, theme, color, ascii, mouse, lang; "
                   "usage: unset NAME"},
    {"set t 3", "set: 't' could be any of temp, top-k, top-p, threads, theme; usage: set [NAME] "
                "[VALUE]"},
    {"set heads s", "'s' could be any of sink, strongest"},
    {"set scale sqtr", "scale takes linear, sqrt, log or row-max, not 'sqtr'; did you mean 'sqrt'?"},
    {"stage sofmax", "there is no stage 'sofmax' (did you mean 'softmax'?); the stages are raw, "
                     "scaled, masked, softmax and z"},
    {"break entorpy", "there is no op 'entorpy'; did you mean 'entropy'?"},
    {"ablate mlpp 1", "'mlpp' is nothing to ablate; did you mean 'mlp'?"},
    {"stage s", "'s' could be any of scaled, softmax"},
    {"until s", "until: 's' could be any of scores, scale, softmax; usage: until [OP]"},
    {"break L1.m", "'m' could be any of mask, mix, mlp_up, mlp_down"},
    {"help valeus", "there is no help on 'valeus'; did you mean 'values'?"},
    {"help s", "'s' could be any of step, speed, select, stage, show, similarity, scale, steer, set, search, "
               "scroll, screenshot, source, settings"},
    {"echo x; prompt \"a\nb", "the quote at column 16 is not closed"},
    {"echo \\\n \"a", "the quote at line 2, column 2 is not closed"},
};
// clang-format on

static void test_wrong(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct fixture f;
        open_fixture(&f, TEXT, false);
        if (command_run(&f.env, wrong[i].line, &f.err))
            fail_msg("'%s' did not fail", wrong[i].line);
        assert_string_equal(f.err.text, wrong[i].message);
        close_fixture(&f);
    }
}

/* The command that a line of `wrong` is about: the last one in it. */
static bool about(const char *line, const char *name)
{
    const char *last = strrchr(line, ';');

    line = last ? last + 1 : line;
    line += strspn(line, " ");
    return !strncmp(line, name, strlen(name)) && strchr(" ", line[strlen(name)]);
}

static void test_wrong_covers_all(void **state)
{
    (void) state;
    for (const struct command *c = command_table; c->name; c++) {
        bool found = false;
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
            found = found || about(wrong[i].line, c->name);
        if (!found)
            fail_msg("no failing input for %s", c->name);
    }
}

static void test_find(void **state)
{
    (void) state;
    struct err err = ERR_INIT;

    assert_string_equal(command_find("prompt", &err)->name, "prompt");
    assert_string_equal(command_find("pr", &err)->name, "prompt");
    assert_string_equal(command_find("set", &err)->name, "set");
    assert_null(command_find("st", &err));
    assert_string_equal(err.text, "'st' could be any of step, stage, steer");
    assert_null(command_find("", &err));
}

static void test_undone(void **state)
{
    (void) state;
    struct fixture f;

    /* A failing patch leaves none of its parts. */
    open_fixture(&f, TEXT, false);
    assert_false(command_run(&f.env, "patch L0.attn.z,L0.ln1.scale zero", &f.err));
    assert_int_equal(f.session->n_ablations, 0);
    assert_int_equal(run_n_patches(f.session->run), 0);
    /* The first error ends the line. */
    assert_false(command_run(&f.env, "echo one; stpe; echo two", &f.err));
    assert_string_equal(f.out.text, "one\n");
    close_fixture(&f);
}

/* --- keys and the screen --- */

static void test_keys(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, true);
    for (const struct key *k = key_table; k->key; k++) {
        assert_ptr_equal(key_find(k->key, k->view), k);
        if (k->view && strcmp(k->view, "search"))
            assert_true(view_find(k->view) >= 0);
        f.err.text[0] = '\0';
        breaks_remove(f.session, -1);
        assert_true(session_run(f.session, 0, NULL, &f.err));
        session_forget(f.session, f.session->ids.n - 1); /* something to do, something done */
        f.session->at.query = 3;                         /* an edge */
        f.session->at.key = 1;
        f.session->at.stage = STAGE_PATTERN;
        screen_open(&f.screen, view_find("attention"), SCREEN_W, SCREEN_H);
        f.screen.maximised = false;
        if (k->view && !strcmp(k->view, "search"))
            assert_true(command_run(&f.env, "find red", &f.err));
        if (command_run(&f.env, k->line, &f.err))
            continue;
        if (strncmp(k->line, "view ", 5)) /* a digit may have no view yet */
            fail_msg("%s (%s): %s", k->key, k->line, f.err.text);
    }
    assert_true(f.session->quit);
    assert_null(key_find("no such key", NULL));
    close_fixture(&f);
}

static void test_screen(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, true);
    assert_true(command_run(&f.env, "run; generate 3", &f.err));
    assert_true(f.screen.running);
    assert_int_equal(f.screen.generating, 3);
    assert_true(command_run(&f.env, "close quit", &f.err));
    assert_false(f.screen.running);
    assert_int_equal(f.screen.generating, 0);
    assert_true(command_run(&f.env, "keys", &f.err));
    assert_true(f.screen.help);
    assert_true(command_run(&f.env, "maximise; close quit", &f.err));
    assert_false(f.screen.help);
    assert_true(f.screen.maximised);
    assert_true(command_run(&f.env, "close quit", &f.err));
    assert_false(f.screen.maximised);
    assert_false(f.session->quit);
    assert_true(command_run(&f.env, "close", &f.err));
    assert_false(f.session->quit);
    assert_true(command_run(&f.env, "command-line \"set temp \"; edit", &f.err));
    assert_true(f.screen.want_line && f.screen.want_edit);
    assert_string_equal(f.screen.line, "set temp ");
    assert_true(command_run(&f.env, "view attention; head 2; move right; move up 2", &f.err));
    assert_int_equal(f.screen.panel[f.screen.focus], view_find("attention"));
    assert_int_equal(f.session->at.head, 2);
    assert_int_equal(f.session->at.query, f.session->ids.n - 3);
    assert_true(command_run(&f.env, "show heads", &f.err));
    assert_int_equal(f.screen.panel[f.screen.focus], view_find("heads"));
    assert_true(command_run(&f.env, "show L1.H4.pattern", &f.err));
    assert_int_equal(f.screen.panel[f.screen.focus], view_find("tensor"));
    assert_int_equal(f.screen.value, program_value(f.session->program, 1, "attn.pattern"));
    assert_int_equal(f.session->at.head, 4);
    assert_string_equal(f.out.text, "");
    assert_true(command_run(&f.env, "close quit", &f.err));
    assert_true(f.session->quit);
    close_fixture(&f);
}

/* --- completion --- */

static void test_complete(void **state)
{
    (void) state;
    struct fixture f;

    open_fixture(&f, TEXT, false);
    completes(f.session, "", "ablate", "version");
    completes(f.session, "sc", "scale", "screenshot");
    completes(f.session, "ste", "steer", "step");
    completes(f.session, "step ", "layer", "token");
    completes(f.session, "step; ba", "back", "back");
    completes(f.session, "step;", "ablate", "step");
    completes(f.session, "set ", "ascii", "top-k");
    completes(f.session, "set scale r", "row-max", "row-max");
    completes(f.session, "until soft", "softmax", "softmax");
    completes(f.session, "until L2.s", "L2.scale", "L2.softmax");
    completes(f.session, "show patt", "pattern", "pattern");
    completes(f.session, "show att", "attention", "attn.pattern");
    completes(f.session, "show blocks.1.ln1.", "blocks.1.ln1.mean", "blocks.1.ln1.scale");
    completes(f.session, "help va", "value", "values");
    completes(f.session, "zzz", NULL, NULL);
    completes(f.session, "step layer 3 ", NULL, NULL);
    assert_null(command_complete(f.session, "source ", 7));
    completes(f.session, "echo \"open", NULL, NULL);
    completes(f.session, "step # lay", NULL, NULL);

    close_fixture(&f);
}

/* --- help and the manual --- */

static void test_help(void **state)
{
    (void) state;
    struct fixture f;
    struct str line = STR_INIT;

    open_fixture(&f, NULL, false);
    assert_true(command_run(&f.env, "help", &f.err));
    for (const struct command *c = command_table; c->name; c++) {
        struct str usage = STR_INIT;
        command_usage(c, &usage);
        assert_non_null(strstr(f.out.text, usage.text));
        str_release(&usage);
    }
    for (const struct command *c = command_table; c->name; c++) {
        str_clear(&f.out);
        str_clear(&line);
        str_addf(&line, "help %s", c->name);
        assert_true(command_run(&f.env, line.text, &f.err));
        assert_non_null(strstr(f.out.text, c->help));
        assert_non_null(strstr(f.out.text, c->example));
    }
    str_clear(&f.out);
    assert_true(command_run(
        &f.env,
        "help keys; help mouse; help files; help values; help ops; help settings; help views",
        &f.err));
    assert_safe(f.out.text);
    assert_non_null(strstr(f.out.text, "row-max"));
    str_release(&line);
    close_fixture(&f);
}

static void test_man(void **state)
{
    (void) state;
    struct str man = STR_INIT;

    if (system("mandoc -T lint /dev/null >/dev/null 2>&1; test $? -ne 127") != 0) {
        print_message("skipped: there is no mandoc here\n");
        skip();
    }
    str_adds(&man, ".Dd November 22, 2026\n.Dt GPTSCOPE 1\n.Os\n.Sh NAME\n.Nm gptscope\n"
                   ".Nd terminal microscope for GPT\n");
    command_man(&man);
    key_man(&man);
    put_file("in.txt", man.text);
    assert_int_equal(system("mandoc -T lint -W warning in.txt"), 0);
    str_release(&man);
}

static void test_themes(void **state)
{
    (void) state;
    const struct setting *row = setting_find("theme");
    int n = 0;

    for (; row->words[n]; n++)
        assert_string_equal(row->words[n], themes[n].name);
    assert_null(themes[n].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_wrong_covers_all),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_undone),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_screen),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_man),
        cmocka_unit_test(test_themes),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
