#include "cli/arguments.h"

#include "cli/commands_table.h"
#include "cli/text/nearest.h"
#include "cli/text/utf8.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

namespace mailbraid::cli {
namespace {

[[noreturn]] void fail(const std::string& sentence) {
  throw mailstore::Error(mailstore::ErrorKind::Usage, mailstore::Scope::Run, mailstore::Retry::Never, sentence);
}

const CommandRow& row(std::string_view name) {
  return *std::find_if(kCommands.begin(), kCommands.end(), [&](const CommandRow& known) { return known.name == name; });
}

std::string examplesText(std::string_view examples) {
  std::string out = "Examples:\n";
  while (!examples.empty()) {
    const std::size_t end = std::min(examples.find('\n'), examples.size());
    const std::string_view line = examples.substr(0, end);
    // The last ": " stands between the command line and what it is for; "work:INBOX" has no space behind.
    const std::size_t colon = std::min(line.find(": "), line.size());
    out += "  " + std::string(line.substr(0, colon)) + "\n      " +
           std::string(line.substr(std::min(colon + 2, line.size()))) + "\n";
    examples.remove_prefix(std::min(end + 1, examples.size()));
  }
  return out;
}

std::vector<std::string> wordsOf(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::int64_t parseNumber(const std::string& text, std::string_view what, std::string_view where) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
    fail("\"" + harmlessLine(text) + "\" is not the number of " + std::string(what) + "; `mailbraid " +
         std::string(where) + "` lists them");
  }
  return number;
}

sync::engine::AllowedRemovals parseAllowed(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  if (colon == 0) fail("--allow-removals takes ENDPOINT or ENDPOINT:MAILBOX");
  return {text.substr(0, colon), text.substr(std::min(colon + 1, text.size()))};
}

/// Help whose first line is the synopsis of the table, so that --help and the man page say the same.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    if (app->get_parent() == nullptr) return "Usage: " + name + " [OPTIONS] COMMAND ...\n";
    const CommandRow& known = row(app->get_name());
    return "Usage: mailbraid [OPTIONS] " + std::string(known.name) + (known.synopsis.empty() ? "" : " ") +
           std::string(known.synopsis) + "\n";
  }
};

/// The parser of CLI11 with what it fills.
class Parser {
 public:
  Parser() {
    app_.formatter(std::make_shared<HelpFormatter>());
    app_.fallthrough();
    // One: what follows a command is its operand, even when it is spelled like a command (`config show`, `sync check`).
    app_.require_subcommand(0, 1);
    app_.allow_extras();
    app_.set_version_flag("--version", "mailbraid " MAILBRAID_VERSION, "Print the version");
    app_.set_help_flag("-h,--help", "Print help, also for one command: mailbraid sync --help");
    app_.add_option("--config", config_, "Configuration (default: ~/.config/mailbraid/config.toml)")->type_name("FILE");
    app_.add_flag("--json", options_.json, "Print results as JSON, one object a line");
    CLI::Option* quiet = app_.add_flag("-q,--quiet", options_.quiet, "Print nothing but results and errors");
    app_.add_flag("-v,--verbose", options_.verbose,
                  "Facts on standard error; -vv more, -vvv the protocol, without secrets")
        ->excludes(quiet);
    app_.add_option("--log-file", logFile_, "Append facts to FILE")->type_name("FILE");
    app_.footer("Exit codes and the configuration are described in mailbraid(1). To begin: mailbraid config example");
    addCommands();
  }

  Invocation parse(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app_.parse(reversed);
    } catch (const CLI::CallForVersion&) {
      return {options_, TextArguments{"mailbraid " MAILBRAID_VERSION "\n"}};
    } catch (const CLI::CallForHelp&) {
      return {options_, TextArguments{app_.help()}};
    } catch (const CLI::ParseError& error) {
      fail(sentenceOf(error));
    }
    refuseExtras();
    if (!config_.empty()) options_.config = config_;
    if (!logFile_.empty()) options_.logFile = logFile_;
    return {options_, command()};
  }

 private:
  CLI::App* add(std::string_view name) {
    const CommandRow& known = row(name);
    CLI::App* command = app_.add_subcommand(std::string(name), std::string(known.summary));
    command->allow_extras();
    command->set_help_flag("-h,--help", "Print this help");
    command->footer(examplesText(known.examples));
    return command;
  }

  void addCommands() {
    add("check")->add_option("ENDPOINT", names_, "Endpoints; without any, all");
    CLI::App* sync = add("sync");
    sync->add_option("ENDPOINT", names_, "Endpoints; without any, all");
    sync->add_flag("--dry-run", dryRun_,
                   "Print what would be done; changes nothing in a store that exists, makes an empty one when there is "
                   "none; needs the writer's lock");
    sync->add_option("--allow-removals", allowed_, "Carry out removals that are held back")
        ->type_name("ENDPOINT[:MAILBOX]")
        ->allow_extra_args(false);
    add("status");
    CLI::App* log = add("log");
    log->add_option("RUN", operand_, "The number of a run")->type_name("");
    log->add_option("--count", count_, "How many runs")->type_name("N");
    add("ls")->add_option("MAILBOX", operand_, "BRAID/MAILBOX")->type_name("");
    CLI::App* show = add("show");
    show->add_option("ENTRY", operand_, "The number of an entry, as ls prints it")->type_name("");
    show->add_flag("--raw", raw_, "The message's octets, as they came");
    CLI::App* out = add("export");
    out->add_option("PATH", operand_, "The directory; made when missing")->type_name("");
    out->add_option("--format", format_, "maildir (default), mbox or eml")->type_name("FORMAT");
    out->add_option("--mailbox", mailboxes_, "Only this mailbox; may be given again")
        ->type_name("BRAID/MAILBOX")
        ->allow_extra_args(false);
    add("verify");
    add("config")->add_option("VERB", operand_, "check, show or example")->type_name("");
    add("completion")->add_option("SHELL", operand_, "bash, zsh or fish")->type_name("");
  }

  CommandArguments command() const {
    const std::vector<CLI::App*> chosen = app_.get_subcommands();
    if (chosen.empty()) fail("no command was given; `mailbraid --help` lists them");
    const std::string name = chosen[0]->get_name();
    if (name == "check") return CheckArguments{names_};
    if (name == "sync") return syncArguments();
    if (name == "status") return StatusArguments{};
    if (name == "log") return logArguments();
    if (name == "ls") return LsArguments{operand_.empty() ? std::nullopt : std::optional(operand_)};
    if (name == "show") {
      if (operand_.empty()) fail("show needs the number of an entry; `mailbraid ls MAILBOX` lists them");
      return ShowArguments{parseNumber(operand_, "an entry", "ls MAILBOX"), raw_};
    }
    if (name == "export") return exportArguments();
    if (name == "verify") return VerifyArguments{};
    if (name == "config") return configArguments();
    return CompletionArguments{choice("completion", "bash|zsh|fish")};
  }

  SyncArguments syncArguments() const {
    SyncArguments out{names_, dryRun_, {}};
    for (const std::string& text : allowed_) out.allowRemovals.push_back(parseAllowed(text));
    return out;
  }

  LogArguments logArguments() const {
    LogArguments out;
    if (!operand_.empty()) out.run = parseNumber(operand_, "a run", "log");
    if (count_ < 1) fail("--count takes a whole number, not 0");
    out.count = static_cast<std::size_t>(count_);
    return out;
  }

  ExportArguments exportArguments() const {
    if (operand_.empty()) fail("export needs a directory to write to; write mailbraid export PATH");
    ExportArguments out{operand_, format_.empty() ? "maildir" : format_, mailboxes_};
    const std::vector<std::string> known{"maildir", "mbox", "eml"};
    if (std::find(known.begin(), known.end(), out.format) == known.end()) {
      const std::string near = didYouMean(out.format, known);
      fail("--format \"" + harmlessLine(out.format) + "\" is not known; write maildir, mbox or eml" +
           (near.empty() ? "" : ";" + near));
    }
    return out;
  }

  ConfigArguments configArguments() const {
    const std::string verb = choice("config", "check|show|example");
    using Verb = ConfigArguments::Verb;
    return {verb == "check" ? Verb::Check : verb == "show" ? Verb::Show : Verb::Example};
  }

  std::string choice(const std::string& name, std::string_view choices) const {
    const std::vector<std::string> known = wordsOf(choices, '|');
    const std::string list = known[0] + ", " + known[1] + " or " + known[2];
    if (operand_.empty()) fail(name + " needs one of " + list);
    if (std::find(known.begin(), known.end(), operand_) != known.end()) return operand_;
    const std::string near = didYouMean(operand_, known);
    fail(name + " \"" + harmlessLine(operand_) + "\" is not known; write " + list + (near.empty() ? "" : ";" + near));
  }

  void refuseExtras() const {
    const std::vector<std::string> extras = app_.remaining(true);
    if (extras.empty()) return;
    const std::string& extra = extras.front();
    const std::vector<CLI::App*> chosen = app_.get_subcommands();
    if (extra.starts_with('-')) {
      std::vector<std::string> known = wordsOf(kGlobalOptions, ' ');
      if (!chosen.empty()) {
        for (std::string& option : wordsOf(row(chosen[0]->get_name()).options, ' ')) known.push_back(std::move(option));
      }
      const std::string near = didYouMean(extra.substr(0, extra.find('=')), known);
      fail("unknown option " + harmlessLine(extra) + ";" + (near.empty() ? " `mailbraid --help` lists them" : near));
    }
    if (!chosen.empty()) {
      fail("\"" + harmlessLine(extra) + "\" is one word too many for " + chosen[0]->get_name() + "; `mailbraid " +
           chosen[0]->get_name() + " --help` shows what it takes");
    }
    std::vector<std::string> known;
    for (const CommandRow& command : kCommands) known.emplace_back(command.name);
    const std::string near = didYouMean(extra, known);
    fail("unknown command \"" + harmlessLine(extra) + "\";" + (near.empty() ? " `mailbraid --help` lists them" : near));
  }

  static std::string sentenceOf(const CLI::ParseError& error) {
    return harmlessLine(error.what()) + "; `mailbraid --help` shows what is possible";
  }

  CLI::App app_{"Keeps the mail of several accounts and devices the same.", "mailbraid"};
  GlobalOptions options_;
  std::string config_;
  std::string logFile_;
  std::vector<std::string> names_;
  std::string operand_;
  bool dryRun_ = false;
  bool raw_ = false;
  int count_ = 20;
  std::vector<std::string> allowed_;
  std::string format_;
  std::vector<std::string> mailboxes_;
};

}  // namespace

Invocation parseArguments(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

}  // namespace mailbraid::cli
