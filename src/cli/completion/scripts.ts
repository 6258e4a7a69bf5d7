/**
 * Scripts that make a shell ask `reembed complete -- WORD…`, with the words up to the cursor, for the next word. The
 * scripts do not contain the commands, so they do not change with a new version.
 */
export const SCRIPTS = {
  bash: `# Completion of reembed for bash: source <(reembed completion bash)
_reembed() {
  local -a words
  local line word typed
  line="\${COMP_LINE:0:COMP_POINT}"
  read -r -a words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  word="\${words[\${#words[@]}-1]}"
  # bash splits words at = and :, so only the text after the last one is replaced.
  typed="\${word%"\${word##*[=:]}"}"
  COMPREPLY=()
  compopt +o default 2>/dev/null
  while IFS=$'\\t' read -r line _; do
    if [[ "$line" == ":files" ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    COMPREPLY+=("\${line#"$typed"}")
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _reembed reembed
`,
  zsh: `#compdef reembed
# Completion of reembed for zsh: source <(reembed completion zsh)
_reembed() {
  local line
  local -a shown
  for line in "\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ "$line" == ":files" ]]; then
      _files
      return
    fi
    [[ -n "$line" ]] && shown+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -t values value shown
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _reembed reembed
`,
  fish: `# Completion of reembed for fish: reembed completion fish > ~/.config/fish/completions/reembed.fish
function __reembed_complete
    set -l words (commandline -opc)
    for line in ($words[1] complete -- $words[2..-1] (commandline -ct | string collect --allow-empty) 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c reembed -f -a '(__reembed_complete)'
`,
} as const;

export const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];
