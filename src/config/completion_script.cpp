// SPDX-License-Identifier: Apache-2.0
#include "freeatm/config/completion.h"
#include "freeatm/core/error.h"

namespace freeatm::config {
namespace {

// Bash splits words at "=" and ":" too, so the line is split here, and what stands in front of the last of them is
// taken off the candidates again. Without candidates bash completes the name of a file.
constexpr const char* kBash = R"sh(# eval "$(freeatm completion bash)"
_freeatm() {
  local line="${COMP_LINE:0:COMP_POINT}" word known
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word="${words[-1]}"
  mapfile -t COMPREPLY < <("${words[0]/#\~/$HOME}" __complete "${words[@]:1}" 2> /dev/null)
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.] ]] && compopt -o nospace 2> /dev/null
  known="${word%"${word##*["$COMP_WORDBREAKS"]}"}"
  COMPREPLY=("${COMPREPLY[@]#"$known"}")
}
complete -o default -F _freeatm freeatm
)sh";

constexpr const char* kZsh = R"sh(#compdef freeatm
# eval "$(freeatm completion zsh)"
_freeatm() {
  local -a candidates
  candidates=("${(@f)$("${(e)words[1]/#\~/$HOME}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ -z "${candidates[1]}" ]]; then
    compset -P '*='
    _files
  else
    compadd -S '' -- "${(@M)candidates:#*[=.]}"
    compadd -- "${(@)candidates:#*[=.]}"
  fi
}
compdef _freeatm freeatm
)sh";

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  throw UserError("", "completion", "'{}' is not bash or zsh", shell);
}

}  // namespace freeatm::config
