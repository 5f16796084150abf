#include "view/view.h"

#include "base/utf8.h"
#include "view/cache.h"
#include "view/views.h"

#include <string.h>

// clang-format off
const struct view view_table[] = {
    {"map", "1", SLOT_LEFT, "j k op  B breakpoint  u run to it  Enter opens it  Space op  b back",
     "The model as a column of operations, in the order they are executed. The heavy bar is the "
     "residual stream: → reads it, ← adds to it. ✓ is done, ▶ comes next, ● is a breakpoint, ○ "
     "one with a condition. The cursor's block is unfolded, the others are one line each.",
     map_draw, NULL, map_hit},
    {"attention", "2", SLOT_MAIN, "hjkl cell  [ ] head  K J layer  , . stage  c scale  z sink  v zoom",
     "One attention head: each row is a query, each column a key it may look at. The stages "
     "follow the program: raw q·k, scaled by 1/√d_head, masked, softmax, and the weighted sum "
     "of V. ∙ is what the causal mask forbids. Signed stages go from blue through dark to "
     "orange; the end of their scale is the 99th percentile. What does not fit is pooled by the "
     "largest value, and a magnifier shows the values around the cursor; v shows a window of "
     "pixels, or of numbers, instead. While tokens are generated, rows from the cache are dim.",
     attention_draw, attention_title, attention_hit},
    {"heads", "3", SLOT_RIGHT, "[ ] head  K J layer  v measure",
     "All heads at once. Letters name a job that takes 40 % of a head's weight or more on this "
     "text: P looks at the token before, I at what followed the same token earlier "
     "(induction), D at the same token earlier, S at token 0 (the sink), = at itself. "
     "Three tokens at least must be there to show it. v goes from pictures to numbers: the job's "
     "share, entropy (by its largest possible value), the largest weight, the weight on each "
     "job's places, and the key that the last query looks at most.",
     heads_draw, heads_title, heads_hit},
    {"logits", "4", SLOT_RIGHT_LOW,
     "j k candidate  a take it  v after last or cursor  h l cursor  t T temperature, top-k",
     "The model's guess for the next token: all candidates by falling logit, and their "
     "probability after each stage of the sampling that is on (in a wide panel after all): as "
     "the model says, after temperature, top-k, top-p, min-p. Below are what each stage keeps "
     "and its entropy; a line marks where the candidates are cut. ▶ is the token that does "
     "come, where there is one. a takes the candidate under the cursor; what came there before "
     "is kept as a branch.",
     logits_draw, NULL, logits_hit},
    {"explain", "5", SLOT_LOW, "hjkl cell  i what makes most of it  O all of it, jk scroll",
     "One number, worked out from the numbers it is made of: a cell of the attention map, with "
     "q·k, the scale, the mask and the softmax; or with the command explain an element of any "
     "value. What is added up is in the coloured row, and as a table by falling size where "
     "there is room. i goes on to the element that makes most of it, a click to the one that a "
     "term begins with. The result is held "
     "against what the run has.",
     explain_draw, explain_title, explain_hit},
    {"program", "6", SLOT_MAIN,
     "j k op  B breakpoint  u run to it  Enter opens it  Space op  b back",
     "The forward pass as a list of operations with the program counter: what each makes, its "
     "shape, its formula. ✓ is done, ▶ comes next, ● is a breakpoint, ○ one with a condition. "
     "Below is what the operation under the cursor does.",
     program_draw, NULL, program_hit},
    {"mlp", "M", SLOT_MAIN, "h l neuron  j k position  K J layer",
     "The MLP of one layer at one position. Strips: what goes into the activation function and "
     "what comes out, pooled by the largest value. The curve is that function, with the selected "
     "neuron's point. The table has the neurons that say most, and the tokens that each makes "
     "likelier: its direct effect on the logits, with the final norm's gain and without its "
     "scale; a negative activation promotes what the direction speaks against.",
     mlp_draw, NULL, mlp_hit},
    {"compare", "", SLOT_MAIN, "hjkl cell  [ ] head  K J layer  , . stage",
     "The present run less the mark (m), position by position up to the end of the shorter text: "
     "the selected head's map, blue where it is less now and orange where it is more; of every "
     "head's pattern the largest |difference|; the tokens whose probability changed most (of the "
     "logits, before any sampling) and KL(mark||now); how far the residual stream has moved at "
     "the cursor's position. = shows these in place of attention, heads and logits.",
     compare_draw, compare_title, compare_hit},
    {"cache", "7", SLOT_RIGHT_LOW, "h l position  j k layer  [ ] head  v verify",
     "The KV cache: the length of each position's key and value, by layer and kv head; the "
     "positions of this pass are bright. Above: the bytes it takes, the multiplications that the "
     "last pass took and would have taken for all positions, and how far what is cached is from "
     "what one pass over all tokens gives (v).",
     cache_draw, NULL, cache_hit},
    {"tensor", "8", SLOT_MAIN, "h l column  j k row  { } value  [ ] head",
     "What the last operation made, or the value chosen with { and } or by name: the exact "
     "number under the cursor, the numbers around it, their statistics and histogram. Rows are "
     "positions; columns are channels, neurons, token ids or keys; of values with heads, the "
     "selected one is shown.",
     tensor_draw, NULL, tensor_hit},
    {"model", "9", SLOT_RIGHT_LOW, "j k scroll  O maximise",
     "Hyper-parameters, and where the parameters are. In a GPT-2 each block has 12 d_model²: 4 in "
     "the attention, 8 in an MLP four times as wide; the ratio says how near the model is. What "
     "the weights take by format, and the cache by token. A wide panel lists every weight.",
     model_draw, NULL, model_hit},
    {"tokens", "0", SLOT_LOW, "h l token  v merges",
     "The text as the model sees it: one row a token, with its id, its surprisal (-log p of the "
     "token after those before it, in nats; divided by log 2, bits) and its rank among all "
     "tokens there, and its bytes. With set merges on, how the cursor's word was merged from its "
     "first pieces: each row is one merge with its rank, and j k choose one. The bars after the "
     "tokens on top of the screen are their surprisal; a full one is as surprising as a guess.",
     tokens_draw, NULL, tokens_hit},
    {"residual", "R", SLOT_MAIN, "hjkl point and position  K J layer  c mode",
     "The residual stream, read with the logit lens: at each point (after the embedding, after "
     "each attention and MLP) the stream goes through the final norm and the unembedding as if "
     "it were the last. Each cell has the token that is most likely there, bold where it is the "
     "model's final choice, on the colour of the mode (set lens). On the right, at the cursor's "
     "position: the length of the stream, the length of what was added, and its cosine with "
     "the stream before.",
     residual_draw, residual_title, residual_hit},
    {"lesson", "L", SLOT_DOCK, "Space go on  a b c d answer  = answer a number  Left back",
     "The lesson that is open: what is seen above, told in a few lines with the live numbers, and "
     "a question now and then to guess at before the answer is shown. The views above are yours "
     "to play with: Tab goes there; the next step sets the scene anew. 'lesson list' shows them "
     "all, 'lesson end' puts your own model and prompt back.",
     lesson_draw, lesson_title, lesson_hit},
    {"game", "", SLOT_MAIN, "a-z put that operation next  Space a hint",
     "The operations of the model, with one block, as shuffled cards: put them in an order in which "
     "they can be executed. The map grows beside them. An operation may come when all is there "
     "that it reads, so q, k and v go in any order; cards that say the same are as good as each "
     "other. Digits open the other views, 'game' comes back to this one, 'game end' closes it.",
     game_draw, game_title, game_hit},
    {"log", "", SLOT_LOW, "",
     "Messages of this session, the newest last.",
     log_draw, NULL, log_hit},
    {"help", "", SLOT_MAIN, "? or Esc closes",
     "What keys do.",
     help_draw, NULL, help_hit},
    {NULL, NULL, SLOT_LEFT, NULL, NULL, NULL, NULL, NULL},
};
// clang-format on

int view_find(const char *name)
{
    for (int i = 0; view_table[i].name; i++)
        if (strcmp(view_table[i].name, name) == 0)
            return i;
    return -1;
}

bool hint_key_is(const char *row, const char *key)
{
    if (strcmp(row, "a-z") == 0)
        return strcmp(key, "a-z") == 0 || (key[0] >= 'a' && key[0] <= 'z' && !key[1]);
    return strcmp(row, key) == 0;
}

bool hint_holds(const struct hint *all, const struct hint *h, const char *view)
{
    if (h->view)
        return strcmp(h->view, view) == 0;
    for (; all->key; all++)
        if (all->view && strcmp(all->view, view) == 0 && hint_key_is(all->key, h->key))
            return false;
    return true;
}

int draw_paragraph(struct canvas *c, struct rect r, int x, int y, enum style style,
                   const char *text)
{
    int lines = 0, room = r.x + r.w - x;
    while (*text && room > 0) {
        size_t n = utf8_fit(text, strlen(text), room, NULL);
        size_t cut = n;
        if (text[n]) {
            while (cut > 0 && text[cut] != ' ')
                cut--;
            cut = cut > 0 ? cut : n;
        }
        if (cut == 0)
            break;
        if (c)
            canvas_put(c, r, x, y + lines, canvas_look(c, style), text, cut);
        lines++;
        text += cut;
        text += *text == ' ';
    }
    return lines;
}

int scroll_rows(const struct screen *st, const char *view, int want, int n, int h)
{
    int v = view_find(view), last = n > h ? n - h : 0;

    want = want > last ? last : want < 0 ? 0 : want;
    cache_scrolled(st->cache, v, -want, last - want);
    int first = want + st->scroll[v];
    return first < 0 ? 0 : first > last ? last : first;
}

int scroll_around(int at, int n, int h)
{
    int first = at - h / 2;
    if (first > n - h)
        first = n - h;
    return first > 0 ? first : 0;
}
