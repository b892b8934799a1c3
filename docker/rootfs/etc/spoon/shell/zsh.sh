# shellcheck shell=bash disable=SC2154,SC2034,SC2206 # zsh, which shellcheck does not know; read by ../../profile.d/spoon.sh
HISTFILE=${HISTFILE:-${ZDOTDIR:-$HOME}/.zsh_history} HISTSIZE=50000 SAVEHIST=50000
setopt append_history hist_ignore_dups hist_ignore_space interactive_comments
bindkey -e
# Home, End, Delete, Ctrl-Left, Ctrl-Right: zsh knows them by no name of its own.
bindkey '\e[H' beginning-of-line '\e[F' end-of-line '\e[3~' delete-char '\e[1;5D' backward-word '\e[1;5C' forward-word 2>/dev/null

# PLACE (BRANCH) DURATION EXIT-CODE %, by psvar: so PROMPT needs no substitution option of the user's shell to be changed.
__spoon_ps1='%F{cyan}%7v%f%(8V. %F{magenta}%8v%f.)%(9V. %F{yellow}%9v%f.)%(?.. %F{red}%?%f) %# '
PROMPT=$__spoon_ps1
zmodload zsh/datetime 2>/dev/null
__spoon_started=
__spoon_preexec() { __spoon_started=${EPOCHREALTIME-}; }
__spoon_precmd() {
  __spoon_describe_folder
  __spoon_took=
  if [[ -n $__spoon_started ]]; then
    local -i ms=$(((EPOCHREALTIME - __spoon_started) * 1000))
    __spoon_say_time $ms
  fi
  __spoon_started=
  psvar[7]=$__spoon_place psvar[8]=$__spoon_git psvar[9]=$__spoon_took
}

__spoon_read_first() {
  local file
  for file in "$@"; do
    if [[ -r $file ]]; then . "$file"; return; fi
  done
}
# At the first prompt, when the user's files have been read: completion where they have none, our prompt where theirs is not.
__spoon_first_prompt() {
  local code=$?
  precmd_functions=(${precmd_functions:#__spoon_first_prompt})
  if ! command -v compdef >/dev/null; then
    mkdir -p "${XDG_CACHE_HOME:-$HOME/.cache}/zsh" 2>/dev/null
    autoload -Uz compinit && compinit -d "${XDG_CACHE_HOME:-$HOME/.cache}/zsh/zcompdump"
  fi
  if [[ $PROMPT == "$__spoon_ps1" ]]; then
    if command -v oh-my-posh >/dev/null && [[ -z ${precmd_functions:#*_zoxide_hook} ]]; then
      eval "$(oh-my-posh init zsh --config "$(__spoon_theme)")"
      if command -v _omp_precmd >/dev/null; then _omp_precmd; fi
    else
      preexec_functions+=(__spoon_preexec) precmd_functions+=(__spoon_precmd)
      __spoon_precmd
    fi
  fi
  if __spoon_wants_marks; then
    preexec_functions+=(__spoon_mark_command) precmd_functions+=(__spoon_mark)
    __spoon_mark_prompt $code
  fi
}
precmd_functions+=(__spoon_first_prompt)

# The marks of VS Code: around whatever prompt there is by then, and before what a command prints.
__spoon_mark() { __spoon_mark_prompt $?; }
__spoon_mark_prompt() {
  printf '\e]633;D;%s\a' "$1"
  __spoon_tell_folder
  [[ $PROMPT == *']633;A'* ]] || PROMPT=$'%{\e]633;A\a%}'$PROMPT$'%{\e]633;B\a%}'
}
__spoon_mark_command() { printf '\e]633;C\a'; }

if command -v fzf >/dev/null; then
  __spoon_read_first /usr/share/fzf/shell/key-bindings.zsh /usr/share/doc/fzf/examples/key-bindings.zsh
  __spoon_read_first /usr/share/fzf/shell/completion.zsh /usr/share/doc/fzf/examples/completion.zsh
fi
unfunction __spoon_read_first
# As in bash.sh.
if [[ -r /etc/spoon/shell/zoxide.zsh && ! -x ~/.local/bin/zoxide ]]; then . /etc/spoon/shell/zoxide.zsh
elif command -v zoxide >/dev/null; then eval "$(zoxide init zsh)"; fi
