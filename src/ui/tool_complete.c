/* gptscope completion and complete. The scripts know nothing of gptscope: they hand the words
 * of the line to `gptscope complete` and its answer to the shell. */
#include "ui/tool_input.h"

#include "base/mem.h"
#include "base/near.h"
#include "ui/complete.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
static const char bash[] =
    "# Completion of gptscope in bash. Printed by: gptscope completion bash\n"
    "_gptscope() {\n"
    "    local program=${COMP_WORDS[0]/#\\~/$HOME} rest=${COMP_LINE:0:COMP_POINT}\n"
    "    local piece trimmed word kept files='' i\n"
    "    local -a words=()\n"
    "    type -P -- \"$program\" >/dev/null || program=gptscope\n"
    "    # After a redirection comes a file.\n"
    "    if ((COMP_CWORD > 0)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == [\\<\\>]* ]]; then\n"
    "        compopt -o bashdefault -o default 2>/dev/null\n"
    "        return\n"
    "    fi\n"
    "    # COMP_WORDS is cut at '=' and ':', too: what no blank is between is one word.\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        trimmed=${rest#\"${rest%%[![:space:]]*}\"}\n"
    "        piece=${COMP_WORDS[i]}\n"
    "        ((i < COMP_CWORD)) || piece=$trimmed\n"
    "        if [[ $trimmed != \"$rest\" || $i == 0 ]]; then\n"
    "            words+=(\"$piece\")\n"
    "        else\n"
    "            words[${#words[@]} - 1]+=$piece\n"
    "        fi\n"
    "        rest=${trimmed#\"$piece\"}\n"
    "    done\n"
    "    # What of the word stands before the piece that readline completes.\n"
    "    kept=${words[${#words[@]} - 1]}\n"
    "    [[ $piece == [=:] ]] || kept=${kept%\"$piece\"}\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r word; do\n"
    "        if [[ $word == :files$'\\t'* ]]; then\n"
    "            files=1\n"
    "            while IFS= read -r word; do\n"
    "                COMPREPLY+=(\"$word\")\n"
    "            done < <(compgen -f -- \"${word#*$'\\t'}\")\n"
    "            continue\n"
    "        fi\n"
    "        word=${word%%$'\\t'*}\n"
    "        [[ $word != *[.=,] ]] || compopt -o nospace 2>/dev/null\n"
    "        COMPREPLY+=(\"${word#\"$kept\"}\")\n"
    "    done < <(command \"$program\" complete --quoted -- \"${words[@]:1}\" 2>/dev/null)\n"
    "    if [[ $files ]]; then\n"
    "        compopt -o filenames 2>/dev/null # readline quotes them\n"
    "    elif [[ $piece != [\\\"\\']* ]]; then\n"
    "        for i in \"${!COMPREPLY[@]}\"; do\n"
    "            printf -v \"COMPREPLY[$i]\" %q \"${COMPREPLY[i]}\"\n"
    "        done\n"
    "    fi\n"
    "}\n"
    "complete -F _gptscope gptscope\n";

static const char zsh[] =
    "#compdef gptscope\n"
    "# Completion of gptscope in zsh. Printed by: gptscope completion zsh\n"
    "_gptscope() {\n"
    "    local program=${(Q)words[1]} line word help files=''\n"
    "    local -a found stems\n"
    "    program=${program/#\\~/$HOME}\n"
    "    whence -p -- \"$program\" >/dev/null || program=gptscope\n"
    "    for line in \"${(@f)$(command \"$program\" complete -- \"${(@Q)words[2,CURRENT-1]}\" \\\n"
    "        \"${(Q)PREFIX}\" 2>/dev/null)}\"; do\n"
    "        word=${line%%$'\\t'*} help=${line#*$'\\t'}\n"
    "        case $word in\n"
    "        '') ;;\n"
    "        :files) files=1 ;;\n"
    "        *[.=,]) stems+=(\"${word//:/\\\\:}:$help\") ;;\n"
    "        *) found+=(\"${word//:/\\\\:}:$help\") ;;\n"
    "        esac\n"
    "    done\n"
    "    local failed=1\n"
    "    (($#found + $#stems)) && _describe -t values gptscope found -- stems -S '' && failed=0\n"
    "    if [[ $files ]]; then\n"
    "        [[ $PREFIX != --*=* ]] || compset -P '*='\n"
    "        _files && failed=0\n"
    "    fi\n"
    "    return failed\n"
    "}\n"
    "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
    "    _gptscope \"$@\"\n"
    "else\n"
    "    compdef _gptscope gptscope\n"
    "fi\n";

static const char fish[] =
    "# Completion of gptscope in fish. Printed by: gptscope completion fish\n"
    "function __gptscope_complete\n"
    "    set -l words (commandline -opc)\n"
    "    set -l word (commandline -ct | string replace -ar '\\\\\\\\(.)|[\\'\"]' '$1')\n"
    "    set -l program (string replace -r '^~' $HOME -- $words[1])\n"
    "    command -q $program; or set program gptscope\n"
    "    command -q $program; or return\n"
    "    for line in (command $program complete -- $words[2..-1] \"$word\" 2>/dev/null)\n"
    "        if not string match -q -- ':files*' $line\n"
    "            echo -- $line\n"
    "            continue\n"
    "        end\n"
    "        set -l before (string match -r -- '^--[^=]*=' $word)\n"
    "        for file in (__fish_complete_path (string replace -- \"$before\" '' \"$word\"))\n"
    "            echo -- \"$before$file\"\n"
    "        end\n"
    "    end\n"
    "end\n"
    "complete -c gptscope -f -a '(__gptscope_complete)'\n";

static const struct {
    const char *name, *text;
} scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}, {NULL, NULL}};
// clang-format on

int tool_completion(const struct tool_args *a, FILE *out, struct err *err)
{
    struct str text = STR_INIT;
    const char *name = a->n_rest == 1 ? a->rest[0] : "";

    for (int i = 0; scripts[i].name; i++) {
        if (strcmp(scripts[i].name, name) == 0) {
            str_adds(&text, scripts[i].text);
            tool_put(out, &text);
            return 0;
        }
    }
    if (a->n_rest != 1)
        err_set(err, "for which shell? give bash, zsh or fish");
    else
        err_set(err, "there is no completion for '%s', only for bash, zsh and fish", name);
    return 2;
}

int tool_complete(const struct tool_args *a, FILE *out, struct err *err)
{
    struct str text = STR_INIT;
    struct complete c = {.out = &text};
    char **words = xcalloc((size_t) a->n_rest + 1, sizeof *words);

    (void) err;
    for (int i = 0; i < a->n_rest; i++) {
        struct str plain = STR_INIT;
        if (a->quoted)
            complete_unquote(a->rest[i], &plain);
        else
            str_adds(&plain, a->rest[i]);
        str_adds(&plain, "");
        words[i] = str_steal(&plain);
    }
    complete_words(&c, words, a->n_rest);
    tool_put(out, &text);
    for (int i = 0; i < a->n_rest; i++)
        free(words[i]);
    free(words);
    return 0;
}
