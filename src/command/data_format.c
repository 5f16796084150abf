/* The format of results, for help. The tests hold it against what the commands give. */
#include "command/data.h"

#include <stdio.h>

#define COUNTS "n_tokens n_prompt n_computed n_pending"
#define WHERE  "done breakpoint pass next " COUNTS

// clang-format off
const struct data_format data_formats[] = {
    {"prompt ids", "text tokens " COUNTS, "the prompt and its tokens"},
    {"append", "position id text " COUNTS, "the new token"},
    {"truncate", COUNTS, ""},
    {"tokens", "tokens " COUNTS,
     "each with position, id, text, surprisal (nats), bits, rank, state (computed, in_pass, "
     "waiting), added"},
    {"generate", "tokens text end " WHERE,
     "the new tokens, each with position, id, text, draw; end: of text"},
    {"load", "name architecture hyper_parameters " COUNTS, ""},
    {"branch branches", "present last branches",
     "each with id, from, at, present, n_tokens, n_prompt, and its own tokens from at on"},
    {"candidate", "after rank id text logit prob", "prob: after each stage of the sampling"},
    {"step play", "ops " WHERE, "ops: those stepped one by one"},
    {"run until back", WHERE, "where the pass stands"},
    {"break unbreak", "breakpoint removed breakpoints",
     "what was set or switched, the ids that are gone, and all"},
    {"select layer head query key stage move",
     "value layer head stage query key column neuron point op candidate", "the cursor"},
    {"point", "point name value layer", ""},
    {"op", "index name label layer opcode value inputs outputs shape call formula state breakpoint",
     "an op, wherever one appears"},
    {"value column", "value layer head shape row column number",
     "the number under the tensor view's cursor"},
    {"neuron", "layer at n_neurons neuron [rank] [pre] [linear] [act] [post]", ""},
    {"show",
     "[view] [missing] [values] [model] [n_ctx] [cursor] [ablations] [done] [breakpoint] [pass] "
     "[next] [n_tokens] [n_prompt] [n_computed] [n_pending]",
     "without WHAT where things stand; of values a list 'values'; of a view what it shows, as "
     "below, or missing: why there is nothing to see"},
    {"explain",
     "value layer head cell place result actual replaced differs numbers tables lines largest",
     "numbers: what the lines speak of; tables: what is added up, each with title, axis, columns, "
     "n, sum, rest, terms (index, a, b, product, token, from)"},
    {"logits", "after follows n_vocab stages candidates",
     "stages: name, kept, entropy (nats) of each that is on; candidates: rank, id, text, logit, "
     "prob (a number for each stage)"},
    {"info",
     "name architecture path hyper_parameters parameters memory dtypes tokenizer context threads",
     "memory and dtypes in bytes"},
    {"expect", "claim holds left right", "the sides of the last comparison, as text"},
    {"calc", "expression value", "a number, a list, or a text"},
    {"lesson answer",
     "[lessons] [lesson] [title] [step] [steps] [heading] [text] [holds] [question] [choices] "
     "[answered] [verdict] [reveal] [ended]",
     "lessons: number, name, title, done; holds: what the step claims; answered: right, wrong, shown"},
    {"checklist",
     "[items] [number] [name] [title] [done] [n_done] [n_parts] [parts] [next]",
     "items, or one of them; parts: kind, name, done; next: what to do, or null. With "
     "ITEM it is as it was before"},
    {"game", "model n_layer n_ops placed cards verdict wrong hints over",
     "placed: op, makes, reads; cards: letter, op; verdict: kind (right, wrong, hint), op, missing, "
     "words"},
    {"verify", "n_positions k v logits",
     "the largest differences: of keys and of values by layer, of the logits"},
    {"dump", "files", "what was written: each with file, bytes, values"},
    {"lens", "final_changed [after] [next] [point] [points] [positions]",
     "points of one position, or the positions of one point; of each the likeliest tokens, p_next, "
     "rank_next, rank_final, kl, entropy, norm; final_changed: patches that the lens leaves out"},
    {"attribute", "after token against logit sum difference scale parts",
     "parts: part, layer, head, amount; difference: of their sum from the logit; scale: of the "
     "final norm"},
    {"headscores", "positions random queries heads",
     "a score is null where the text has no place for the job; queries: how many have one"},
    {"rollout", "query layer tokens", "tokens: each with its weight"},
    {"entropy", "[query] [entropy] [most] [queries] [mean] [mean_most] [layer] [head]", "in nats"},
    {"similarity", "value head width [positions] [cosine] [position] [nearest]", ""},
    {"nearest", "token rows nearest", ""},
    {"ablate patch scale edge replace steer clear", "[ablations] [functions]",
     "all there are: number, kind, value, layer, head, axes (name, first, count; null: to the "
     "end), x, note, text; functions that can stand in the op's place, of replace without one"},
    {"mark", "mark", "label, n_tokens, n_ablations; or null"},
    {"diff", "a b models same positions tolerance first only_a only_b values",
     "values: each with name, state, shape, where it differs most, both numbers there, rms, cosine; "
     "first: the first that leaves the tolerance"},
    {"compare", "comparing now mark n_compared n_same", ""},
    {"exercise",
     "[exercises] [exercise] [folder] [files] [file] [compiled] [passed] [todos] [compiler] "
     "[printed] [todo] [hint] [hints] [words] [code]",
     "check: todos with todo, state (passed, failed, open, waits), cases, cases_passed, mistake, "
     "case, element, reason, line"},
    {"watch", "watching check replaced",
     "the exercise or null, what its check found (as of exercise check), todos with their ops"},
    {"set", "[setting] [value] [allowed] [help] [settings]",
     "without NAME all of them in settings"},
    {"unset cycle", "setting value", ""},
    {"speed", "setting value", "operations a second"},
    {"layout", "focus views edges maximised lines", "lines: the layout as commands"},
    {"find match",
     "match n_matches kind [position] [id] [text] [name] [value] [layer] [head] [index] [label] "
     "[opcode] [inputs] [outputs] [shape] [call] [formula] [state] [breakpoint]",
     "and by kind a token, a value, an op, or a name"},
    {"screenshot", "file format width height missing_characters", ""},
    {"help", "[commands] [keys] [settings] [views] [ops] [topic] [lines]",
     "commands with name, group, usage, arguments, help, example, keys; or the rows or lines of "
     "a topic"},
    {"keys", "keys", "each with key, view, line, help"},
    {"history", "commands", "each with number, line"},
    {"record", "file recording", ""},
    {"version", "name version", ""},
    {NULL, NULL, NULL},
};

const struct data_format data_nouns[] = {
    {"token", "id text", "bytes that are no whole character are written as \\xNN in text"},
    {"token in its place", "position id text", "query, key, at, after, follows, strongest"},
    {"draw", "u low high p", "the number drawn, in [low, high); null for a greedy choice"},
    {"pass", "first count ops_done n_ops", "the one that is open, or null"},
    {"value", "value layer head axes statistics data",
     "head counts along the value's own head axis, kv heads for k and v; axes: name, size, first, "
     "count: which part of it data holds, nested in this order; statistics: of the whole at this "
     "head"},
    {"statistics", "n min max mean std norm n_infinite n_nan n_zero", ""},
    {"breakpoint", "id kind text on op layer head limit token", ""},
    {"head", "layer head computed [job] [weight_on] [n_queries] [max] [entropy] [strongest] "
     "[strongest_weight]",
     "show heads; entropy as a share of its largest possible value"},
    {"point", "point name value layer cells",
     "show residual; a cell for each position: top, entropy, kl, rank, surprisal, rank_next, "
     "norm, added, cosine"},
    {NULL, NULL, NULL},
};
// clang-format on

static void row_print(const char *name, const char *keys, const char *help, struct str *out)
{
    str_addf(out, "%s\n    {%s}\n", name, keys);
    if (*help)
        str_addf(out, "    %s\n", help);
}

static void rows_print(const struct data_format *row, struct str *out)
{
    for (; row->name; row++)
        row_print(row->name, row->keys, row->help, out);
}

void data_format_print(struct str *out)
{
    str_adds(out,
             "With --json, run and repl print one JSON object a line for each command:\n"
             "    {\"command\": \"...\", \"result\": {...}}   what it found, as below\n"
             "    {\"command\": \"...\", \"text\": \"...\"}     what is text only\n"
             "    {\"command\": \"...\", \"error\": \"...\"}    why it failed; in a script "
             "with file and line\n"
             "The error is the last line. Numbers that are not finite are null, and so is "
             "what is not\ncomputed yet. Keys in brackets are not always there.\n\n");
    rows_print(data_formats, out);
    str_adds(out, "\nWhat appears in them:\n\n");
    rows_print(data_nouns, out);
    str_adds(out,
             "\nshow VIEW [ROWS], where ROWS is the most that is given of what is long:\n\n");
    for (const struct data_view *v = data_view_table; v->view; v++)
        row_print(v->view, v->keys, "", out);
}
