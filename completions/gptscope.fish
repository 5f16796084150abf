# Completion of gptscope in fish. Printed by: gptscope completion fish
function __gptscope_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct | string replace -ar '\\\\(.)|[\'"]' '$1')
    set -l program (string replace -r '^~' $HOME -- $words[1])
    command -q $program; or set program gptscope
    command -q $program; or return
    for line in (command $program complete -- $words[2..-1] "$word" 2>/dev/null)
        if not string match -q -- ':files*' $line
            echo -- $line
            continue
        end
        set -l before (string match -r -- '^--[^=]*=' $word)
        for file in (__fish_complete_path (string replace -- "$before" '' "$word"))
            echo -- "$before$file"
        end
    end
end
complete -c gptscope -f -a '(__gptscope_complete)'
