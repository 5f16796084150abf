/* The commands: one row each. Groups stand together. */
#include "command/commands.h"

#define UNITS "op layer token"

// clang-format off
const struct command command_table[] = {
    /* --- tokens --- */
    {"prompt", "tokens", {{"TEXT", ARG_TEXT, true, NULL}},
     "give a prompt, or print the one there is\n"
     "What the new text has in common with the old one stays computed.\n"
     "TEXT is the rest of the line, up to a ';'. In double quotes it may hold anything, and\n"
     "\\n \\t \\\" \\\\ \\xHH \\uHHHH. An empty prompt is \"\".",
     "prompt Tom gave the red ball to Anna. Anna", cmd_prompt},
    {"ids", "tokens", {{"IDS", ARG_TEXT, false, NULL}},
     "give a prompt as token ids\n"
     "Ids are numbers with commas or blanks between them.",
     "ids 12,47,300", cmd_ids},
    {"append", "tokens", {{"TOKEN", ARG_TOKEN, false, NULL}},
     "add one token after the last one\n"
     "TOKEN is an id, or the text of one token; a blank in it is written in quotes or as a\n"
     "middle dot, as labels show it.",
     "append \" ball\"", cmd_append},
    {"branch", "tokens",
     {{"TOKEN", ARG_TOKEN, true, NULL}, {"AT", ARG_INT, true, NULL}},
     "go on with another token: TOKEN after position AT, in place of what comes there\n"
     "Without TOKEN it is the candidate under the cursor of the logits view, without AT the\n"
     "position that the candidates follow (set logits-at). What came there before is kept:\n"
     "'branches' lists it and goes back to it.",
     "run; branch \" Ben\" 6", cmd_branch},
    {"branches", "tokens", {{"N", ARG_BRANCH, true, "back"}},
     "list the branches, go to branch N, or back to the one before\n"
     "What the tokens of both have in common stays computed.",
     "run; branch \" Ben\" 6; branches back", cmd_branches},
    {"truncate", "tokens", {{"N", ARG_INT, false, NULL}},
     "forget all but the first N tokens\n"
     "What is left of the computation stays.",
     "truncate 4", cmd_truncate},
    {"tokens", "tokens", {{NULL, ARG_INT, false, NULL}},
     "list the tokens with their ids, their surprisal and their rank\n"
     "The surprisal is -log p of the token after those before it, in nats and in bits; the rank\n"
     "is its place among all tokens there. Says which are computed, in the pass that is open, or\n"
     "waiting.",
     "tokens", cmd_tokens},
    {"generate", "tokens", {{"N", ARG_INT, true, NULL}},
     "generate N tokens, or one\n"
     "Computes what is pending, then samples as temp, top-k, top-p, min-p and seed say. It stops\n"
     "at the end-of-text token unless ignore-eos is on. The last token's own pass is left to be\n"
     "stepped.",
     "generate 3", cmd_generate},
    {"load", "tokens", {{"MODEL", ARG_MODEL, false, NULL}},
     "load another model\n"
     "MODEL is a GGUF file, a safetensors file, a folder with config.json, or a built-in name.\n"
     "The prompt is kept.",
     "load tiny-llama", cmd_load},

    /* --- stepping --- */
    {"step", "stepping", {{"UNIT", ARG_CHOICE, true, UNITS}, {"N", ARG_INT, true, NULL}},
     "go one op on, or N; or to the next layer, or to the end of the pass\n"
     "A pass computes all tokens that wait, at most set chunk of them. It begins by itself.",
     "step layer; step 3", cmd_step},
    {"run", "stepping", {{NULL, ARG_INT, false, NULL}},
     "compute everything that is pending\n"
     "An interrupt stops it; what is done stays.",
     "run", cmd_run},
    {"until", "stepping", {{"OP", ARG_OP, true, NULL}},
     "go on to an op, so that it is the next to run; without OP to the cursor of the program view\n"
     "OP is a number of 'show program', a name like L2.softmax, a label like softmax (the next\n"
     "one), or a value like L1.resid_post (the op that makes it).",
     "until L1.softmax", cmd_until},
    {"back", "stepping", {{"UNIT", ARG_CHOICE, true, UNITS}, {"N", ARG_INT, true, NULL}},
     "go one op back, or N; or to the start of the layer, or of the pass\n"
     "Goes back into earlier passes, too.",
     "run; back 2", cmd_back},

    {"play", "stepping", {{NULL, ARG_INT, false, NULL}},
     "step op by op by itself until all tokens are computed or a breakpoint comes; again: pause\n"
     "'set speed' says how many operations a second; in scripts there is no waiting.",
     "truncate 2; play", cmd_play},
    {"speed", "stepping", {{"BY", ARG_WORD, true, "+1 -1"}},
     "make play faster or slower: +1, -1, first, last", "speed +1", cmd_speed},
    {"break", "stepping",
     {{"WHERE", ARG_OPS, true, "here entropy top token"}, {"A", ARG_WORD, true, "on off"},
      {"B", ARG_WORD, true, NULL}, {"C", ARG_WORD, true, NULL}},
     "set a breakpoint, or list them: run, step layer, step token, until and generate stop there\n"
     "WHERE is an op as 'until' takes it (a label without layer means that op of every layer), a\n"
     "layer (L2), or a head (L2.H3: stops after its softmax). 'break here' sets or takes away the\n"
     "one where the cursor is.\n"
     "break entropy L2.H3 < 0.5   when the weights of the pass's last query have an entropy of\n"
     "                            less (or more: >) nats; without a head any of the layer's,\n"
     "                            without a layer any at all\n"
     "break top                   when the logit lens of the pass's last token has another top\n"
     "                            token after a block than before it (block 0: than the\n"
     "                            embedding); after the last block it is the prediction\n"
     "break token TEXT            when TEXT, one token, was generated, or a pass over it begins\n"
     "break 2 off                 breakpoint 2 waits until 'break 2 on'",
     "break L1.softmax; run", cmd_break},
    {"unbreak", "stepping", {{"N", ARG_BREAK, false, "all"}},
     "take breakpoint N away, or all", "break L1.softmax; unbreak all", cmd_unbreak},

    /* --- cursor --- */
    {"select", "cursor", {{"PLACE", ARG_PLACE, true, NULL}, {"PLACE2", ARG_WORD, true, NULL}},
     "put the cursor on a head, a stage or a cell\n"
     "PLACE is like L2, H3, L2.H3, L2.H3.softmax, or 8,6 for query 8 and key 6.",
     "select L1.H2.softmax 3,1", cmd_select},
    {"layer", "cursor", {{"N", ARG_LAYER, true, "first last"}},
     "select a layer: N, +1, -1, first, last", "layer +1", cmd_layer},
    {"head", "cursor", {{"N", ARG_HEAD, true, "first last"}},
     "select a head: N, +1, -1, first, last", "head last", cmd_head},
    {"query", "cursor", {{"N", ARG_WORD, true, "first last"}},
     "select a query, which is the row of the attention map: N, +1, -1, first, last",
     "query 3", cmd_query},
    {"key", "cursor", {{"N", ARG_WORD, true, "first last"}},
     "select a key, which is the column of the attention map: N, +1, -1, first, last",
     "key first", cmd_key},
    {"stage", "cursor", {{"STAGE", ARG_STAGE, true, "raw scaled masked softmax z first last"}},
     "select a stage of the attention: raw, scaled, masked, softmax, z; or +1, -1",
     "stage +1", cmd_stage},
    {"value", "cursor", {{"WHICH", ARG_VALUE, true, "last"}},
     "choose what the tensor view shows: a value; +1, -1; last\n"
     "+1 and -1 go through the values in the order of the program. last shows what the last op\n"
     "made, step by step.",
     "run; value L1.mlp.post; value +1", cmd_value},
    {"column", "cursor", {{"N", ARG_WORD, true, "first last"}},
     "select a column of the tensor view: N, +1, -1, first, last\n"
     "Columns are channels, neurons, ids of tokens, or keys.",
     "run; value logits; column 100", cmd_column},
    {"neuron", "cursor", {{"N", ARG_WORD, true, "first last"}},
     "select a neuron of the MLP at the cursor's layer and position: N; +1, -1, first, last\n"
     "+1 and -1 go through the neurons by falling size of their activation. first selects the\n"
     "strongest, wherever the cursor goes.",
     "run; neuron 12; neuron +1", cmd_neuron},
    {"candidate", "cursor", {{"RANK", ARG_WORD, true, "first last next"}},
     "put the cursor of the logits view on the candidate of a rank: N from 1, +N, -N, first, last\n"
     "next is the token that does come there.",
     "run; candidate 3", cmd_candidate},
    {"op", "cursor", {{"OP", ARG_OPS, true, "first last next"}},
     "put the cursor of the map and the program view on an op: OP, +N, -N, first, last\n"
     "OP is as 'until' takes it. next is the one that runs next; stepping goes back to it, too.",
     "op L1.softmax", cmd_op},
    {"point", "cursor", {{"N", ARG_WORD, true, "embed first last"}},
     "select a point of the residual stream: N, +1, -1, first, last, embed, L2.attn, L2.mlp\n"
     "Point 0 is the embedding; then come two for each layer, after its attention and its MLP.",
     "point L1.mlp; point +1", cmd_point},
    {"move", "cursor",
     {{"WHERE", ARG_CHOICE, false, "left right up down"}, {"N", ARG_INT, true, NULL}},
     "move the cursor as the arrow keys do\n"
     "What moves depends on the panel: key and query on an attention map, head and layer on the\n"
     "overview of heads, the op on the map and the program, the candidate and the token in the\n"
     "logits view; elsewhere the panel scrolls.",
     "move left 2", cmd_move},

    /* --- looking --- */
    {"show", "looking",
     {{"WHAT", ARG_VALUE, true, "program ablations log this"}, {"ROWS", ARG_INT, true, NULL}},
     "print where things stand, a view as a picture, or a value as numbers\n"
     "WHAT is a view, 'program' for the list of ops, 'ablations', 'log', or a value. 'help views'\n"
     "and 'help values' list them; a view comes before a value of its name. ROWS is the most rows\n"
     "to print.",
     "run; show pattern", cmd_show},
    {"explain", "looking",
     {{"VALUE", ARG_VALUE, true, "this largest"}, {"CELL", ARG_TEXT, true, NULL}},
     "work out one element of a value with the numbers that make it\n"
     "CELL is like 8,17: position and channel; for scores and patterns query and key; for logits\n"
     "and probs position and token, as text or id. Without CELL it is the cell under the cursor,\n"
     "without VALUE what the panel with the focus shows there. this follows the attention's\n"
     "cursor; largest goes from what is explained to the element that makes most of it.",
     "run; explain L1.H2.pattern 8,6; explain logits 4,·ball; explain largest", cmd_explain},
    {"logits", "looking", {{"N", ARG_INT, true, NULL}},
     "list the N most likely next tokens\n"
     "A column for each stage of the sampling that is on. 'set logits-at cursor' takes those after\n"
     "the cursor's token.",
     "run; logits 5", cmd_logits},
    {"info", "looking", {{NULL, ARG_INT, false, NULL}},
     "print the model's sizes, its parameters and the memory in use", "info", cmd_info},
    {"calc", "looking", {{"EXPRESSION", ARG_TEXT, false, NULL}},
     "compute an expression over the live values\n"
     "L1.H4.pattern[8,7] is one number, L1.H4.pattern[8] a row, last the last position; there are\n"
     "+ - * / ^, comparisons, d_head and the other sizes, \"text\" and 'help expressions'. With ;\n"
     "in it the whole stands in quotes.",
     "run; calc dot(L0.H1.q[3], L0.H1.k[2]) / sqrt(d_head)", cmd_calc},
    {"verify", "looking", {{NULL, ARG_INT, false, NULL}},
     "compute all tokens again in one pass and compare the cache and the logits with it\n"
     "Ablations are done again, too. The cache view shows the result until something changes.",
     "generate; run; verify", cmd_verify},
    {"dump", "looking",
     {{"VALUES", ARG_VALUE, false, "this"}, {"FILE", ARG_FILE, false, NULL},
      {"OPTIONS", ARG_TEXT, true, "layers= heads= positions= format= sidecar=off"}},
     "write values to a file\n"
     "VALUES are names, globs and short forms; 'help values' lists them. The suffix of FILE\n"
     "chooses the format. OPTIONS, apart by blanks:\n"
     "layers=0-3,5    of the values of blocks only those of these layers; others stay\n"
     "heads=1,2       only these heads, and the key/value heads that serve them\n"
     "positions=4-9   only these rows (4- to the end, last, last5); all keys stay, and the\n"
     "                tokens stay those of the whole prompt\n"
     "format=npz      the format, in place of the suffix\n"
     "sidecar=off     no FILE.json, which says what model, prompt and operations made the\n"
     "                numbers, and by its being there that FILE is complete",
     "run; dump L0.H1.pattern pattern.npy; dump L*.pattern,L*.q some.npz layers=1 heads=0,2 "
     "positions=4-",
     cmd_dump},

    /* --- analysis --- */
    {"lens", "analysis",
     {{"WHERE", ARG_WORD, true, "first last embed"}, {"N", ARG_INT, true, NULL}},
     "the logit lens: the residual stream at each point read as if it were the last\n"
     "WHERE is a position (the cursor's): then a row for each point of the stream. Or it is a point\n"
     "like embed, L2.attn or L2.mlp: then a row for each position. Each point goes through the\n"
     "final norm with its own mean and scale, then the unembedding. p next and rank: of the token\n"
     "that does come next; KL(final || this) and the entropy are in nats; then the N likeliest\n"
     "tokens with their probabilities.",
     "run; lens; lens 4 2; lens L1.mlp", cmd_lens},
    {"attribute", "analysis",
     {{"TOKEN", ARG_TOKEN, true, "at layers heads mlps list all"},
      {"AGAINST", ARG_WORD, true, "at layers heads mlps list all"},
      {"at", ARG_WORD, true, "at layers heads mlps list all"},
      {"POS", ARG_WORD, true, "at layers heads mlps list all"},
      {"VIEW", ARG_WORD, true, "layers heads mlps list all"}, {"N", ARG_WORD, true, NULL}},
     "a logit as the sum of what embeddings, heads and MLPs write to the stream\n"
     "Direct logit attribution (Elhage et al. 2021): each part goes through the final norm with the\n"
     "scale it had, and is multiplied with TOKEN's row of the unembedding. With AGAINST it is the\n"
     "difference of two logits. TOKEN is the likeliest one when not given; the position that\n"
     "follows 'at' is the one that logits lists candidates for. VIEW is layers, heads, mlps, list\n"
     "(the N largest, 10) or all of them; without it, layers and list. Where a patch changed the\n"
     "stream itself, what is there beyond the parts is a part, too.",
     "run; attribute; attribute \" Anna\" \" Tom\" at 5 heads; attribute list 20", cmd_attribute},
    {"headscores", "analysis",
     {{"MEASURE", ARG_CHOICE, true, "job previous induction duplicate sink self entropy largest"},
      {"RANDOM", ARG_CHOICE, true, "random"}, {"N", ARG_INT, true, NULL},
      {"LENGTH", ARG_INT, true, NULL}, {"SEQUENCES", ARG_INT, true, NULL}},
     "what each head does: its mean weight on the token before, on a repeat, on what followed it\n"
     "Of all tokens computed; the N heads (10) with the largest MEASURE, or with the clearest job.\n"
     "With random, of SEQUENCES (8) sequences of LENGTH (50) different random ids given twice, from\n"
     "set seed, as in Olsson et al. 2022: they go through a run of their own, with the ablations\n"
     "there are, and the session stays as it is. Entropy is a share of its largest value, largest\n"
     "the mean of the largest weight. A job takes 0.4 of the weight or more, in three queries or\n"
     "more.",
     "run; headscores; headscores induction random 5 20 2", cmd_headscores},
    {"rollout", "analysis",
     {{"POS", ARG_WORD, true, "first last"}, {"LAYER", ARG_INT, true, NULL}},
     "attention rollout: how much of a position, after LAYER, comes from each token\n"
     "Of the cursor's position and the last layer, or others (Abnar & Zuidema 2020): the product of\n"
     "0.5 I + 0.5 A over the layers up to LAYER, A the mean pattern of a layer's heads.",
     "run; rollout; rollout 5 1", cmd_rollout},
    {"entropy", "analysis", {{"WHERE", ARG_WORD, true, "first last"}},
     "the entropy of each head's attention, in nats\n"
     "WHERE is a query (the cursor's): a table of all heads for it, and one of the means over all\n"
     "queries. Or it is a head like L2.H3: a row for each query. The largest possible, the log of\n"
     "the number of keys, stands beside it.",
     "run; entropy; entropy L1.H2", cmd_entropy},
    {"similarity", "analysis",
     {{"VALUE", ARG_VALUE, true, NULL}, {"POS", ARG_WORD, true, "first last"},
      {"N", ARG_INT, true, NULL}},
     "cosine similarity of the positions of a value: all with all, or the N nearest to POS\n"
     "VALUE is resid_post of the cursor's layer when not given, and may be one head of a value. All\n"
     "numbers of a position count as one vector. The table shows what fits, around the cursor.",
     "run; similarity; similarity L2.H1.q 4; similarity embed last 3", cmd_similarity},
    {"nearest", "analysis",
     {{"TOKEN", ARG_TOKEN, true, NULL}, {"N", ARG_INT, true, NULL},
      {"ROWS", ARG_CHOICE, true, "embed unembed"}},
     "the N tokens (10) whose rows of the embedding are nearest to TOKEN's, by cosine\n"
     "TOKEN is the cursor's when not given. With unembed, rows of the unembedding; they are the\n"
     "same where the model ties both.",
     "nearest \" ball\" 5", cmd_nearest},

    /* --- changing --- */
    {"ablate", "changing",
     {{"WHAT", ARG_PLACE, true, "mlp attn edge mean"}, {"WHERE", ARG_WORD, true, "mean"},
      {"HOW", ARG_WORD, true, "mean"}},
     "take out a head, an edge, or what attention or MLP add; the same once more takes it back\n"
     "WHAT is like L2.H3, L2.mlp, L2.attn or L2.H3.edge; without a place, the selected one.\n"
     "WHERE is the layer of an mlp or attn, and the query and key of an edge (8,6; the cursor's).\n"
     "A head's z, mlp_out or attn_out becomes zero; with mean it becomes its mean over the\n"
     "positions of the present run. An edge's score becomes -inf before the softmax, so that the\n"
     "rest of the row takes its weight (Geva et al. 2023). When all tokens were computed, they are\n"
     "computed again.",
     "run; ablate L1.H2; ablate L2.H3 mean; ablate edge 8,6", cmd_ablate},
    {"patch", "changing",
     {{"VALUE", ARG_VALUE, false, "this"},
      {"HOW", ARG_CHOICE, false, "zero scale set add mean from"}, {"X", ARG_FILE, true, "mark"},
      {"POS", ARG_INT, true, NULL}},
     "change values as they are computed: zero, scale X, set X, add X, mean, from mark or FILE\n"
     "scale multiplies by X, add adds X to every number, mean puts the mean over the positions of\n"
     "the present run at each of them. 'from mark' puts the mark's numbers there, at the positions\n"
     "that both have; 'from FILE' those of a dump (npz, npy, safetensors), under any of the names\n"
     "that diff takes; of single heads (L2.H5.pattern) and of parts what the file has of them. With\n"
     "POS only this position is changed; a file with a single position may go to any.",
     "patch L0.mlp_out scale 0.5; patch L1.resid_post add 0.1 3; clear; run; "
     "dump L1.mlp_out mlp.npy; patch L1.mlp_out from mlp.npy 3", cmd_patch},
    {"scale", "changing",
     {{"WHERE", ARG_PLACE, false, "mlp attn"}, {"X", ARG_REAL, false, NULL},
      {"POS", ARG_INT, true, NULL}},
     "multiply what a head, an MLP or an attention gives by X: a short form of patch\n"
     "WHERE is a head (L2.H3: its z), L2.mlp, L2.attn (what they add to the residual stream), or a\n"
     "value as patch takes it. 0 takes it out, 1 changes nothing. With POS only at this position.",
     "run; scale L2.H3 0.5; scale L1.mlp 2", cmd_scale},
    {"edge", "changing",
     {{"WHERE", ARG_PLACE, true, NULL}, {"CELL", ARG_WORD, true, NULL},
      {"TURN", ARG_WORD, true, "on off"}},
     "knock out one edge of attention, as 'ablate edge' does; the same once more takes it back\n"
     "WHERE is a head like L2.H3, CELL its query and key like 8,6; without them, the cursor's.\n"
     "off knocks it out, on takes it back, whatever it was before. The edge's score becomes -inf,\n"
     "so that the softmax gives its weight to the rest of the row.",
     "run; edge L2.H3 8,6; edge L2.H3 8,6 on", cmd_edge},
    {"replace", "changing",
     {{"OP", ARG_OPS, true, NULL}, {"FUNCTION", ARG_FUNCTION, true, NULL},
      {"X", ARG_WORD, true, NULL}},
     "put another function in place of an op; without FUNCTION, list those that fit\n"
     "OP is as 'until' takes it: a number, L2.softmax, a value like L1.resid_post. A label (mask)\n"
     "or a kind of op (linear, rope, layernorm) means all of them in all layers. 'help functions'\n"
     "has the formulas. All tokens are computed again with it; 'clear' takes it back. With the mask\n"
     "'none' a token sees all of its own pass, also what comes after it; tokens of earlier passes\n"
     "stay as they were, so that a prompt at once and token by token (set chunk 1) differ. Scores\n"
     "of heads look at keys up to the query all the same.",
     "run; mark; replace mask none; replace L2.softmax uniform; replace scale by d_head",
     cmd_replace},
    {"steer", "changing",
     {{"LAYER", ARG_INT, false, NULL}, {"X", ARG_REAL, false, NULL},
      {"TOWARD", ARG_TOKEN, true, "mark"}},
     "add X times a direction to the residual stream after a layer, at every position\n"
     "TOWARD a token: x = X r u/|u|, u the token's row of the unembedding, r the mean length of\n"
     "the present residual stream after this layer over the positions. TOWARD the mark (or\n"
     "without it): x = X (m - n), m and n the mark's and the present residual stream there at\n"
     "the cursor's query. Tokens to come are steered, too. 'clear' takes it back.",
     "run; steer 1 0.5 \" ball\"; mark; prompt Tom gave the red hat; run; steer 2 -1 mark",
     cmd_steer},
    {"clear", "changing", {{"N", ARG_ABLATION, true, NULL}},
     "take back ablation N, or without N all of them\n"
     "'show ablations' lists them.",
     "ablate mlp 1; clear", cmd_clear},

    /* --- comparing --- */
    {"mark", "comparing",
     {{"HOW", ARG_CHOICE, true, "recomputed clear"}, {"LABEL", ARG_TEXT, true, NULL}},
     "keep the run as it is now, as the other side of comparisons\n"
     "What is computed is copied, with its tokens and ablations, and replaces the earlier mark.\n"
     "LABEL is what the screen calls it. With recomputed, the mark is the same tokens with the\n"
     "same ablations, computed once more in one pass without the KV cache. clear forgets it.",
     "run; mark before; ablate L1.H2; compare on", cmd_mark},
    {"compare", "comparing", {{"ON", ARG_CHOICE, true, "on off toggle"}},
     "show the present run less the mark, or stop; without ON, the other of the two\n"
     "The attention, heads and logits views then show now - mark, position by position up to the\n"
     "end of the shorter text, and 'show compare' all at once. Of each head, heads shows the\n"
     "largest |difference| of its pattern; logits shows the change of each probability and\n"
     "KL(mark || now) = sum p_mark log(p_mark / p_now) in nats.",
     "run; mark; ablate L0.H1; compare; show compare", cmd_compare},

    {"diff", "comparing",
     {{"FILE", ARG_FILE, false, NULL}, {"TOL", ARG_REAL, true, NULL}},
     "compare the present run with a dump, value by value, and say which is the first to differ\n"
     "FILE is an npz, npy or safetensors file by this or another program, with its names or\n"
     "those of TransformerLens, Hugging Face or llama.cpp. A is the file, B the run. A number\n"
     "differs when |A - B| > TOL x the root mean square of its position's numbers (of scores: of\n"
     "all; of weights: the row's largest); TOL is 1e-4 without it. Single heads and parts of values\n"
     "are compared with the same of the run; that there is nothing to compare is an error.\n"
     "'gptscope help diff' says more.",
     "run; dump L0.* pass.npz; diff pass.npz", cmd_diff},

    /* --- learning --- */
    {"lesson", "learning",
     {{"WHICH", ARG_WORD, true, "next back list end"}, {"STEP", ARG_INT, true, NULL}},
     "open a lesson, or go on in it\n"
     "WHICH is the number or name of a lesson, next, back, list, or end. Without it, where you\n"
     "left off. A lesson sets its own model, prompt and settings; end puts yours back. next shows\n"
     "the answer of a question that was not answered. 'set lang zh' gives them in Chinese.",
     "lesson 1", cmd_lesson},
    {"answer", "learning", {{"GUESS", ARG_WORD, false, NULL}},
     "answer the question of a lesson: the letter of a choice, or a number",
     "lesson 1; lesson next; answer a", cmd_answer},
    {"expect", "learning", {{"CLAIM", ARG_TEXT, false, NULL}},
     "fail unless a claim about the live values holds\n"
     "A claim compares two expressions (calc) with < <= > >= = !=; = and != may say within how\n"
     "much. Several are joined by 'and'. A script stops there, with the numbers that there are.",
     "run; expect sum(L0.H3.pattern[7]) = 1 within 0.001 and n = 10", cmd_expect},

    {"exercise", "learning",
     {{"WHAT", ARG_CHOICE, true, "list start check hint solution"},
      {"NAME", ARG_EXERCISE, true, NULL}, {"WHERE", ARG_FILE, true, NULL}},
     "write a function of the model in C, and have it checked\n"
     "start writes a folder (WHERE, or NAME) with a file to fill in; check compiles it with the\n"
     "system's C compiler and says of each TODO whether it is right, and what is wrong; hint gives\n"
     "the next hint for the first TODO that is not right, or for TODO WHERE; solution prints the\n"
     "whole. What the code does wrong (a crash, a loop without end) stays in a process of its own.\n"
     "'set lang zh' gives all texts in Chinese.",
     "exercise list", cmd_exercise},
    {"watch", "learning", {{"NAME", ARG_EXERCISE, true, "end"}, {"DIR", ARG_FILE, true, NULL}},
     "run the model with the functions of an exercise in it\n"
     "Each TODO that is begun takes the place of the op that it is, in all layers: a wrong mask is\n"
     "seen as a wrong picture. A file that is saved anew is compiled and checked again, and all is\n"
     "computed again. What crashes is taken back. 'watch end' and 'clear' end it; without NAME how\n"
     "it stands.",
     "exercise start mlp .; watch mlp .; watch end", cmd_watch},

    {"checklist", "learning", {{"ITEM", ARG_WORD, true,
       "architecture attention mask mlp block gpt parameters positions cache gqa"}},
     "what the course is for, how much of it is done, and what comes next\n"
     "Each item is ticked by doing what it hangs on: lessons that were gone through, exercises that\n"
     "passed, the ordering game. With the number or name of an item it opens the next of these:\n"
     "the lesson where it was left, or the game, or it says the line for the shell.",
     "checklist", cmd_checklist},
    {"game", "learning", {{"CARD", ARG_WORD, true, "new hint end"}},
     "put the operations of the model in their order\n"
     "The operations of the embedding, one block and the head are shuffled cards, by the session's\n"
     "random numbers ('set seed'). CARD is a letter, or what the operation is called or makes: it\n"
     "comes next if all that it reads is there; otherwise the game says what is missing. Without\n"
     "CARD it begins, or shows how it stands; new shuffles again; hint names a card; end closes it.",
     "set seed 3; game; game embed; game softmax", cmd_game},

    /* --- settings --- */
    {"set", "settings", {{"NAME", ARG_SETTING, true, NULL}, {"VALUE", ARG_SETTING_VALUE, true, NULL}},
     "print or change a setting\n"
     "'help settings' says what they mean.",
     "set temp 0.8", cmd_set},
    {"unset", "settings", {{"NAME", ARG_SETTING, false, NULL}},
     "put a setting back to its default", "unset temp", cmd_unset},
    {"cycle", "settings", {{"NAME", ARG_SETTING, false, NULL}},
     "go to the next value of a setting that has a few", "cycle scale", cmd_cycle},

    /* --- screen --- */
    {"view", "screen", {{"VIEW", ARG_VIEW, false, NULL}},
     "open a view on the screen\n"
     "Without a terminal the screen is kept all the same; show prints a view.",
     "view heads", cmd_view},
    {"panel", "screen", {{"WHICH", ARG_CHOICE, true, "next previous"}},
     "go to the next or previous panel", "panel next", cmd_panel},
    {"maximise", "screen", {{NULL, ARG_INT, false, NULL}},
     "give the whole screen to this panel, or take it back", "maximise", cmd_maximise},
    {"find", "screen",
     {{"TEXT", ARG_WORD, false, NULL}, {"WHICH", ARG_CHOICE, true, "next previous"}},
     "search the tokens from the cursor on, then values, ops, commands, keys and settings\n"
     "Small letters find capital ones, too. A token gets the cursor, a value opens as a tensor, "
     "an op in the program, a command's help is shown. match goes on; while there is a search, "
     "n and N do, and Esc ends it.",
     "find anna", cmd_find},
    {"match", "screen", {{"WHICH", ARG_CHOICE, true, "next previous end"}},
     "go to the next or previous match of what find searches, or end the search",
     "find anna; match next", cmd_match},
    {"search", "screen", {{NULL, ARG_INT, false, NULL}},
     "type what is to be found", "search", cmd_search},
    {"resize", "screen",
     {{"WHERE", ARG_CHOICE, false, "left right up down"}, {"N", ARG_INT, true, NULL}},
     "move the edge of this panel by N cells\n"
     "The right or the lower edge, where there is another panel beyond it, otherwise the left or "
     "the upper one. Each size of window keeps its own.",
     "resize right 4", cmd_resize},
    {"scroll", "screen", {{"N", ARG_INT, false, NULL}, {"VIEW", ARG_VIEW, true, NULL}},
     "scroll this view, or VIEW, by N rows; a negative N goes up", "scroll 3 log", cmd_scroll},
    {"layout", "screen",
     {{"WHAT", ARG_CHOICE, true, "reset left right low right-low side side-low"},
      {"N", ARG_INT, true, NULL}},
     "print the layout as commands, or change it\n"
     "reset puts every view and size back. With the name of an edge, N is how many cells larger "
     "than by itself the panel is that the edge bounds: left and right of the main one, low and "
     "right-low below them; side and side-low on small screens.",
     "layout right 8", cmd_layout},
    {"open", "screen", {{NULL, ARG_INT, false, NULL}},
     "open what the cursor is on, or maximise the panel", "open", cmd_open},
    {"close", "screen", {{"OR", ARG_CHOICE, true, "quit"}},
     "stop what runs, or close the help, or give a maximised panel its place back\n"
     "With quit, leave the program when there is none of these.",
     "close", cmd_close},
    {"keys", "screen", {{NULL, ARG_INT, false, NULL}},
     "list the keys", "keys", cmd_keys},
    {"command-line", "screen", {{"TEXT", ARG_TEXT, true, NULL}},
     "open the command line, with TEXT typed in", "command-line \"set temp \"", cmd_line},
    {"edit", "screen", {{NULL, ARG_INT, false, NULL}},
     "edit the prompt; everything follows as you type", "edit", cmd_edit},
    {"screenshot", "screen",
     {{"FILE", ARG_FILE, false, NULL}, {"SIZE", ARG_WORD, true, NULL},
      {"FACTOR", ARG_INT, true, NULL}},
     "write a picture of the screen to a file\n"
     "The suffix of FILE chooses the format: .txt .ansi .html .svg .png. SIZE is like 200x50;\n"
     "without it, the size of the screen, or 120x40 where there is none. FACTOR, 1 to 8,\n"
     "enlarges a .png.",
     "screenshot gptscope.svg 100x30", cmd_screenshot},

    /* --- other --- */
    {"help", "other", {{"TOPIC", ARG_COMMAND, true, NULL}},
     "list the commands, or say more about one, or about a topic\n"
     "The last line of the list names the topics.",
     "help step", cmd_help},
    {"source", "other", {{"FILE", ARG_FILE, false, NULL}},
     "run the commands in a file\n"
     "Stops at the first error.",
     "source example.gpt", cmd_source},
    {"record", "other", {{"FILE", ARG_FILE, true, "off"}},
     "record this session in a file of commands\n"
     "The file begins with all that was done so far, and each command is added as it is done: "
     "keys and clicks are the commands they stand for. gptscope run FILE, or source FILE in a "
     "new session, does it again. record off ends it; ./off is a file of that name. Without FILE "
     "it says what is recorded.",
     "record session.gpt", cmd_record},
    {"history", "other", {{"WHICH", ARG_TEXT, true, NULL}},
     "list what was done in this session, numbered: all of it, the last N, or what holds TEXT\n"
     "The list begins with what makes the session: the model, the settings, the prompt. What has\n"
     "failed is not in it. 'record' writes it to a file. Lines as they were typed, also those of\n"
     "other days, come back with the Up key.",
     "history 3", cmd_history},
    {"again", "other", {{"N", ARG_WORD, true, NULL}},
     "do command N of history again, or the last one", "step; again", cmd_again},
    {"echo", "other", {{"TEXT", ARG_TEXT, true, NULL}},
     "print TEXT", "echo first the whole prompt", cmd_echo},
    {"version", "other", {{NULL, ARG_INT, false, NULL}},
     "print the program's version", "version", cmd_version},
    {"quit", "other", {{NULL, ARG_INT, false, NULL}},
     "leave the program; a script ends here", "quit", cmd_quit},
    {NULL, NULL, {{NULL, ARG_INT, false, NULL}}, NULL, NULL, NULL},
};
// clang-format on
