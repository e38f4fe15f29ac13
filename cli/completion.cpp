#include "cli/completion.h"

#include "cli/commands_table.h"

#include <algorithm>
#include <string>

namespace mailbraid::cli {
namespace {

/// A shell command, the same for every shell, that prints what may stand there, one a line. Names come from the program
/// itself; a mistake in the configuration only means that nothing is offered.
std::string offersOf(Operand operand) {
  switch (operand) {
    case Operand::None:
    case Operand::Run:
    case Operand::Entry:
    case Operand::Directory:
    case Operand::Path:
      return {};
    case Operand::Endpoint:
      return R"x(mailbraid config show --json 2>/dev/null | sed -n 's/^{"endpoint":"\([^"]*\)".*/\1/p')x";
    case Operand::Mailbox:
      return R"x(mailbraid ls --json 2>/dev/null | sed -n 's/^{"mailbox":"\([^"]*\)".*/\1/p')x";
    case Operand::ConfigVerb:
      return R"(printf '%s\n' check show example)";
    case Operand::Shell:
      return R"(printf '%s\n' bash zsh fish)";
  }
  return {};
}

std::string commandNames() {
  std::string out;
  for (const CommandRow& command : kCommands) out += (out.empty() ? "" : " ") + std::string(command.name);
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

constexpr std::string_view kBash = R"x(# bash completion for mailbraid
_mailbraid() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" word
  local -a offers=() options=()
  COMPREPLY=()
  case "$previous" in
    --config|--log-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --format) mapfile -t COMPREPLY < <(compgen -W 'maildir mbox eml' -- "$current"); return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " @COMMANDS@ " in *" $word "*) command="$word"; break ;; esac
  done
  case "$command" in
@CASES@    *) offers=(@COMMANDS@); options=(--version) ;;
  esac
  [[ "$current" == -* ]] && offers=("${options[@]}" @GLOBAL@)
  for word in "${offers[@]}"; do
    [[ "$word" == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
  done
}
complete -F _mailbraid mailbraid
)x";

std::string bashScript() {
  std::string cases;
  for (const CommandRow& command : kCommands) {
    cases += "    " + std::string(command.name) + ") options=(" + std::string(command.options) + ")";
    if (const std::string offers = offersOf(command.operand); !offers.empty())
      cases += "; mapfile -t offers < <(" + offers + ")";
    if (command.operand == Operand::Directory) cases += R"(; mapfile -t offers < <(compgen -d -- "$current"))";
    if (command.operand == Operand::Path) cases += R"(; mapfile -t offers < <(compgen -f -- "$current"))";
    cases += " ;;\n";
  }
  return replaced(replaced(replaced(std::string(kBash), "@CASES@", cases), "@COMMANDS@", commandNames()), "@GLOBAL@",
                  kGlobalOptions);
}

constexpr std::string_view kZsh = R"x(#compdef mailbraid
_mailbraid() {
  local -a commands offers options
  local word command=''
  commands=(
@SUMMARIES@  )
  for word in ${words[2,CURRENT-1]}; do
    if (( ${commands[(I)${word}:*]} )); then command=$word; break; fi
  done
  case "$command" in
@CASES@    *) options=(--version); _describe command commands ;;
  esac
  if [[ ${words[CURRENT]} == -* ]]; then
    compadd -- $options @GLOBAL@
  else
    compadd -a offers
  fi
}
if [[ "$funcstack[1]" == _mailbraid ]]; then _mailbraid "$@"; else compdef _mailbraid mailbraid; fi
)x";

std::string zshScript() {
  std::string summaries;
  std::string cases;
  for (const CommandRow& command : kCommands) {
    const std::string name(command.name);
    summaries +=
        "    '" + name + ":" + replaced(replaced(std::string(command.summary), ":", "\\:"), "'", "'\\''") + "'\n";
    cases += "    " + name + ") options=(" + std::string(command.options) + ")";
    if (const std::string offers = offersOf(command.operand); !offers.empty())
      cases += "; offers=(\"${(@f)$(" + offers + ")}\")";
    if (command.operand == Operand::Directory) cases += "; _files -/";
    if (command.operand == Operand::Path) cases += "; _files";
    cases += " ;;\n";
  }
  return replaced(replaced(replaced(std::string(kZsh), "@SUMMARIES@", summaries), "@CASES@", cases), "@GLOBAL@",
                  kGlobalOptions);
}

constexpr std::string_view kFish = R"x(# fish completion for mailbraid
complete -c mailbraid -f
complete -c mailbraid -l config -r -F -d 'Configuration'
complete -c mailbraid -l json -d 'Results as JSON'
complete -c mailbraid -s q -l quiet -d 'Nothing but results and errors'
complete -c mailbraid -s v -l verbose -d 'Facts on standard error'
complete -c mailbraid -l log-file -r -F -d 'Append facts to a file'
complete -c mailbraid -s h -l help -d 'Help'
complete -c mailbraid -n 'not __fish_seen_subcommand_from @COMMANDS@' -l version -d 'Version'
)x";

std::string fishScript() {
  std::string out = replaced(std::string(kFish), "@COMMANDS@", commandNames());
  const std::string none = "complete -c mailbraid -n 'not __fish_seen_subcommand_from " + commandNames() + "'";
  for (const CommandRow& command : kCommands) {
    const std::string name(command.name);
    out += none + " -a " + name + " -d '" + replaced(std::string(command.summary), "'", "\\'") + "'\n";
    const std::string seen = "complete -c mailbraid -n '__fish_seen_subcommand_from " + name + "'";
    for (std::string_view options = command.options; !options.empty();) {
      const std::size_t end = std::min(options.find(' '), options.size());
      out += seen + " -l " + std::string(options.substr(2, end - 2)) + "\n";
      options.remove_prefix(std::min(end + 1, options.size()));
    }
    if (command.operand == Operand::Directory || command.operand == Operand::Path) out += seen + " -F\n";
    if (const std::string offers = offersOf(command.operand); !offers.empty()) {
      out += "function __mailbraid_" + name + "\n  " + offers + "\nend\n" + seen + " -a '(__mailbraid_" + name + ")'\n";
    }
  }
  return out;
}

}  // namespace

std::string completionScript(std::string_view shell) {
  if (shell == "bash") return bashScript();
  if (shell == "zsh") return zshScript();
  if (shell == "fish") return fishScript();
  return {};
}

}  // namespace mailbraid::cli
