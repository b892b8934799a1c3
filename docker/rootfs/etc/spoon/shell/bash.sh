# shellcheck shell=bash disable=SC2154,SC2178 # what is used here is set in ../../profile.d/spoon.sh, which reads this
shopt -s histappend checkwinsize
HISTCONTROL=ignoreboth HISTSIZE=50000 HISTFILESIZE=100000

# PLACE (BRANCH) DURATION EXIT-CODE $: all in PS1 and PS0, so that a PS1 of the user's leaves nothing of it behind.
__spoon_prompt() {
  __spoon_describe_folder
  printf '\001\e[36m\002%s\001\e[0m\002' "$__spoon_place"
  [ -z "$__spoon_git" ] || printf ' \001\e[35m\002%s\001\e[0m\002' "$__spoon_git"
  if [ "$__spoon_started" != 0 ]; then
    __spoon_say_time $(((${EPOCHREALTIME//[!0-9]/} - __spoon_started) / 1000))
    [ -z "$__spoon_took" ] || printf ' \001\e[33m\002%s\001\e[0m\002' "$__spoon_took"
  fi
  [ "$1" = 0 ] || printf ' \001\e[31m\002%s\001\e[0m\002' "$1"
}
# `${nothing:(A, 0):0}` is nothing, and how what is expanded at a prompt can assign in this very shell: when a command starts,
# and at the prompt after it (Enter alone starts none).
__spoon_started=0 __spoon_nothing=' '
# shellcheck disable=SC2016
if ((BASH_VERSINFO[0] >= 5)); then PS0='${__spoon_nothing:(__spoon_started = ${EPOCHREALTIME//[!0-9]/}, 0):0}'; fi
# shellcheck disable=SC2016
__spoon_ps1='$(__spoon_prompt $?)${__spoon_nothing:(__spoon_started = 0):0} \$ '
PS1=$__spoon_ps1

__spoon_read_first() {
  local file
  for file in "$@"; do
    # shellcheck source=/dev/null
    if [ -r "$file" ]; then . "$file"; return; fi
  done
}
# Completion is read at the first Tab and not at each start: 40 ms. 124 makes bash look again, and find what is there by then.
__spoon_complete_first() {
  complete -r -D
  __spoon_read_first "${XDG_CONFIG_HOME:-$HOME/.config}/bash_completion"
  __spoon_read_first /usr/share/bash-completion/bash_completion
  if command -v fzf >/dev/null; then
    __spoon_read_first /usr/share/fzf/shell/completion.bash /usr/share/bash-completion/completions/fzf
  fi
  return 124
}
if [ -t 0 ]; then # line editing is on
  if shopt -q progcomp && ! complete -p -D >/dev/null 2>&1; then complete -o bashdefault -o default -D -F __spoon_complete_first; fi
  if command -v fzf >/dev/null; then
    __spoon_read_first /usr/share/fzf/shell/key-bindings.bash /usr/share/doc/fzf/examples/key-bindings.bash
  fi
fi
# Its script as it was made with the image: starting it for that is a sixth of a shell's start. One of the user's own is asked.
if [ -r /etc/spoon/shell/zoxide.bash ] && [ ! -x ~/.local/bin/zoxide ]; then . /etc/spoon/shell/zoxide.bash
elif command -v zoxide >/dev/null; then eval "$(zoxide init bash)"; fi

# The marks of VS Code: around whatever prompt there is by then, and before what a command prints.
__spoon_mark() {
  local code=$?
  printf '\e]633;D;%s\a' "$code"
  __spoon_tell_folder
  case $PS1 in *']633;A'*) ;; *) PS1='\[\e]633;A\a\]'$PS1'\[\e]633;B\a\]' ;; esac
  case ${PS0-} in *']633;C'*) ;; *) PS0=${PS0-}'\e]633;C\a' ;; esac
  return "$code"
}

# Decided at the first prompt, when the user's files have been read: a prompt or a hook of theirs is left alone.
__spoon_first_prompt() {
  local code=$? hooks="${PROMPT_COMMAND[*]}"
  __spoon_first_prompt() { return $?; }
  hooks=${hooks//__spoon_first_prompt/}
  # Its hook's name has one underscore or two, by version.
  hooks=${hooks//__zoxide_hook/}
  hooks=${hooks//_zoxide_hook/}
  if [ "$PS1" = "$__spoon_ps1" ] && [ -z "${hooks//[; ]/}" ] && command -v oh-my-posh >/dev/null; then
    eval "$(oh-my-posh init bash --config "$(__spoon_theme)")"
    if declare -F _omp_hook >/dev/null; then _omp_hook; fi
  fi
  if __spoon_wants_marks; then PROMPT_COMMAND+=(__spoon_mark); __spoon_mark; fi
  return "$code"
}
PROMPT_COMMAND="${PROMPT_COMMAND:+${PROMPT_COMMAND%;};}__spoon_first_prompt"
