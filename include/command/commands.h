/*
 * The functions behind the rows of command_table, by file, and what they share.
 */
#ifndef GPTSCOPE_COMMAND_COMMANDS_H
#define GPTSCOPE_COMMAND_COMMANDS_H

#include "command/command.h"
#include "engine/select.h"

typedef bool command_function(struct command_env *env, const struct arg *arg, struct err *err);

/* cmd_tokens.c */
command_function cmd_prompt, cmd_ids, cmd_append, cmd_truncate, cmd_tokens, cmd_generate,
    cmd_load;
/* cmd_pass.c */
command_function cmd_step, cmd_run, cmd_until, cmd_back, cmd_play, cmd_speed;
/* cmd_break.c */
command_function cmd_break, cmd_unbreak;
/* cmd_branch.c */
command_function cmd_branch, cmd_branches, cmd_candidate;
/* cmd_cursor.c */
command_function cmd_select, cmd_layer, cmd_head, cmd_query, cmd_key, cmd_stage, cmd_move,
    cmd_op;
command_function cmd_point;
/* cmd_calc.c */
command_function cmd_calc;
/* cmd_lesson.c */
command_function cmd_lesson, cmd_answer;
/* cmd_exercise.c */
command_function cmd_exercise;
/* cmd_checklist.c, cmd_game.c */
command_function cmd_checklist, cmd_game;
/* cmd_watch.c */
command_function cmd_watch;
/* Looks after the functions of an exercise that are in the model: a file that was saved anew is
 * taken up, one that fails is taken back; says so. True when something
 * has happened. */
bool watch_settle(struct command_env *env);
/* cmd_tensor.c */
command_function cmd_value, cmd_column;
/* cmd_verify.c */
command_function cmd_verify;
void verify_sum(const struct verify *v, struct str *out); /* one line */
/* cmd_neuron.c */
command_function cmd_neuron;
/* cmd_show.c, cmd_value.c, cmd_info.c */
command_function cmd_show, cmd_logits, cmd_info;
/* cmd_explain.c */
command_function cmd_explain;
/* cmd_dump.c */
command_function cmd_dump;
/* cmd_patch.c */
command_function cmd_ablate, cmd_patch, cmd_clear;
/* cmd_compare.c */
command_function cmd_mark, cmd_compare, cmd_steer;
/* cmd_lens.c, cmd_attribute.c, cmd_heads.c, cmd_weights.c, cmd_similarity.c */
command_function cmd_lens, cmd_attribute, cmd_headscores, cmd_rollout, cmd_entropy,
    cmd_similarity, cmd_nearest;
/* cmd_diff.c */
command_function cmd_diff;
/* SET of a value, or of a head of it, to what a dump has there; pos -1: at all positions that
 * both have. A dump of a single position may go to any. */
struct dumped;
bool patch_from_dump(struct session *s, struct dumped *d, const struct selected *sel, int pos,
                     struct err *err);
/* cmd_set.c */
command_function cmd_set, cmd_unset, cmd_cycle;
/* cmd_replace.c */
command_function cmd_replace;
/* cmd_scale.c */
command_function cmd_scale, cmd_edge;
/* cmd_expect.c */
command_function cmd_expect;
/* cmd_history.c */
command_function cmd_history, cmd_again;
/* cmd_screen.c */
command_function cmd_view, cmd_panel, cmd_maximise, cmd_open, cmd_close, cmd_keys, cmd_line,
    cmd_edit;
/* cmd_screenshot.c */
command_function cmd_screenshot;
/* cmd_find.c */
command_function cmd_find, cmd_match, cmd_search;
/* cmd_layout.c */
command_function cmd_scroll, cmd_resize, cmd_layout;
/* cmd_misc.c */
command_function cmd_help, cmd_source, cmd_record, cmd_echo, cmd_version, cmd_quit;

/* "3", "+1", "-1", "first", "last" for a coordinate of n values; relative moves stop at the
 * ends. */
bool move_to(int *v, int n, const struct arg *arg, const char *what, struct err *err);
/* A point of the residual stream: "3", "+1", "last", or by name: "embed", "L2.attn", "L2.mlp".
 */
bool point_parse(const struct session *s, const struct arg *arg, int *point, struct err *err);

/* --- cmd_analysis.c: what the analyses share --- */
/* A position as move_to takes it, the cursor's when it is not given. Fails without tokens. */
bool position_of(const struct session *s, const struct arg *arg, const char *what, int *pos,
                 struct err *err);
/* "9 ·Anna" */
void position_print(const struct session *s, int pos, struct str *out);
/* x[n_layer, n_head] as a table, as many heads side by side as fit; "-" for NAN. */
void head_grid_print(const struct command_env *env, const double *x, int cells, int decimals);
json_t *head_grid_json(const struct session *s, const double *x); /* a list of lists */
/* {"position": 9, "id": 1256, "text": " Anna"} */
json_t *position_json(const struct session *s, int pos);

/* The number of a count argument, `otherwise` when it is not given; false when below 1. */
bool count_of(const struct arg *arg, int otherwise, int *n, struct err *err);
/* At most `cells` cells of safe text, filled up with blanks. */
void pad_print(const char *text, int cells, struct str *out);
/* "1256 ·ball" */
void token_print(const struct session *s, int id, struct str *out);
/* "  p 0.410, draw 0.273 in [0.170, 0.580)"; nothing for a greedy choice. */
void draw_print(const struct sample_draw *d, struct str *out);
/* Where the pass stands: "next: ..." or "all 13 tokens are computed"; before that the
 * breakpoint that was come to, if one was. */
void where_print(const struct session *s, struct str *out);
/* Candidates that logits lists when N is not said. */
enum { LOGITS_ROWS = 10 };
/* A value as numbers around the cursor, at most `rows` of them, with its statistics. */
bool value_print(struct command_env *env, const struct selected *sel, int rows,
                 struct err *err);
/* The cell that is explained, as the explain view draws it, under its name. */
void explain_print(struct command_env *env);
/* Explain works on what the focused panel has under its cursor, if that panel has one. */
void explain_follow(struct command_env *env);
/* A value that was named, at a cell that may be ("8,17"), or that the cursor is on. */
bool subject_parse(const struct session *s, const char *name, const struct arg *cell,
                   struct subject *what, struct err *err);
/* Functions that can take an op's place; op -1: all there are. */
void functions_print(const struct program *p, int op, struct str *out);
/* Ends a command that changed ablations: run_again, and the list. */
bool ablations_done(struct command_env *env, bool was_done, struct err *err);
/* The trace that the logits view shows; NULL with err. */
const struct sample_trace *candidates_of(const struct command_env *env, struct err *err);
/* session_candidates_at; -1 with err set where that is. */
int candidates_at(const struct session *s, struct err *err);
/* The ablations there are, numbered from 1. */
void ablations_print(const struct session *s, struct str *out);
/* What takes long is left to the program's loop: but not in a script, whose next line counts on
 * it. */
bool works_later(const struct command_env *env);
/* Computes again what a change made stale, when all had been computed before. */
bool run_again(struct command_env *env, bool was_done, struct err *err);

#endif
