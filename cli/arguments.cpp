#include "cli/arguments.h"

#include "cli/commands_table.h"
#include "cli/text/nearest.h"
#include "cli/text/units.h"
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
    addMigrate();
    add("status");
    CLI::App* log = add("log");
    log->add_option("RUN", operand_, "The number of a run")->type_name("");
    log->add_option("--count", count_, "How many runs")->type_name("N");
    CLI::App* list = add("ls");
    list->add_option("MAILBOX", operand_, "BRAID/MAILBOX")->type_name("");
    list->add_flag("--removed", removed_, "What was removed from it and can be restored");
    CLI::App* show = add("show");
    show->add_option("ENTRY", operand_, "The number of an entry, as ls prints it")->type_name("");
    show->add_flag("--raw", raw_, "The message's octets, as they came");
    CLI::App* out = add("export");
    out->add_option("PATH", operand_, "The directory; made when missing")->type_name("");
    out->add_option("--format", format_, "maildir (default), mbox or eml")->type_name("FORMAT");
    out->add_option("--mailbox", mailboxes_, "Only this mailbox; may be given again")
        ->type_name("BRAID/MAILBOX")
        ->allow_extra_args(false);
    addChanges();
    CLI::App* verify = add("verify");
    verify->add_option("ENDPOINT", names_, "Endpoints to compare with the store; without any, the store itself");
    addReport(verify);
    add("config")->add_option("VERB", operand_, "check, show or example")->type_name("");
    add("completion")->add_option("SHELL", operand_, "bash, zsh or fish")->type_name("");
  }

  void addReport(CLI::App* command) {
    command->add_flag("--full", full_, "Read every message there and compare every octet");
    command->add_option("--report", reports_, "Also write a report to FILE.txt, FILE.json or FILE.html")
        ->type_name("FILE")
        ->allow_extra_args(false);
  }

  void addMigrate() {
    CLI::App* migrate = add("migrate");
    migrate->add_option("ENDPOINT", names_, "The endpoints to read, and last the one that gets their mail")
        ->type_name("");
    migrate->add_flag("--dry-run", dryRun_, "Print what would be done, how much that is, and how long it would take");
    migrate->add_flag("--final", final_, "The last run, after the cut-over: compare afterwards, and tell what is left");
    addReport(migrate);
    migrate->add_option("--rate", rate_, "With --dry-run: estimate with so many octets a second")->type_name("SIZE");
  }

  void addChanges() {
    const auto entries = [this](CLI::App* command) {
      command->add_option("ENTRY", names_, "Numbers of entries, as ls prints them; - reads them from standard input")
          ->type_name("");
    };
    CLI::App* flag = add("flag");
    entries(flag);
    flag->add_option("--add", addFlags_, "A flag that they get")->type_name("FLAG")->allow_extra_args(false);
    flag->add_option("--remove", removeFlags_, "A flag that they lose")->type_name("FLAG")->allow_extra_args(false);
    CLI::App* move = add("move");
    move->add_option("ENTRY", names_, "Numbers of entries, and last the mailbox they go to")->type_name("");
    move->add_flag("--create", create_, "Make the mailbox when there is none");
    entries(add("remove"));
    entries(add("restore"));
    add("undo")->add_option("RUN", operand_, "The number of a run, as log prints it")->type_name("");
    CLI::App* in = add("import");
    in->add_option("PATH", operand_, "A file or a directory")->type_name("");
    in->add_option("--into", into_, "Below this mailbox of the store")->type_name("[BRAID/]MAILBOX");
    in->add_option("--braid", braid_, "Into this braid; needed when there is more than one")->type_name("BRAID");
    in->add_option("--format", format_, "maildir, maildir++, mbox, thunderbird or eml; without it, it is found out")
        ->type_name("FORMAT");
    in->add_flag("--dry-run", dryRun_, "Print what would be taken in");
    add("gc")
        ->add_option("--forget", forget_, "An endpoint that is no longer in the configuration")
        ->type_name("ENDPOINT");
  }

  CommandArguments command() const {
    const std::vector<CLI::App*> chosen = app_.get_subcommands();
    if (chosen.empty()) fail("no command was given; `mailbraid --help` lists them");
    const std::string name = chosen[0]->get_name();
    if (name == "check") return CheckArguments{names_};
    if (name == "sync") return syncArguments();
    if (name == "migrate") return migrateArguments();
    if (name == "status") return StatusArguments{};
    if (name == "log") return logArguments();
    if (name == "ls") return LsArguments{optional(operand_), removed_};
    if (name == "show") {
      if (operand_.empty()) fail("show needs the number of an entry; `mailbraid ls MAILBOX` lists them");
      return ShowArguments{parseNumber(operand_, "an entry", "ls MAILBOX"), raw_};
    }
    if (name == "export") return exportArguments();
    if (name == "flag") return flagArguments();
    if (name == "move") return moveArguments();
    if (name == "remove") return RemoveArguments{entries(name)};
    if (name == "restore") return RestoreArguments{entries(name)};
    if (name == "undo") {
      if (operand_.empty()) fail("undo needs the number of a run; `mailbraid log` lists them");
      return UndoArguments{parseNumber(operand_, "a run", "log")};
    }
    if (name == "import") return importArguments();
    if (name == "gc") return GcArguments{optional(forget_)};
    if (name == "verify") return verifyArguments();
    if (name == "config") return configArguments();
    return CompletionArguments{choice("completion", "bash|zsh|fish")};
  }

  SyncArguments syncArguments() const {
    SyncArguments out{names_, dryRun_, {}};
    for (const std::string& text : allowed_) out.allowRemovals.push_back(parseAllowed(text));
    return out;
  }

  MigrateArguments migrateArguments() const {
    MigrateArguments out{names_, {}, dryRun_, final_, full_, {reports_.begin(), reports_.end()}, {}};
    if (names_.size() < 2) {
      fail(
          "migrate needs the endpoints to read and the one that gets their mail; write mailbraid migrate old-isp "
          "new-imap");
    }
    if (dryRun_ && (final_ || full_ || !reports_.empty())) fail("--dry-run excludes --final, --full and --report");
    if (full_ && !final_ && reports_.empty()) fail("--full belongs to --final or --report");
    out.destination = out.sources.back();
    out.sources.pop_back();
    if (rate_.empty()) return out;
    if (!dryRun_) fail("--rate belongs to --dry-run; how fast a run may be is up to the endpoint's \"limits\"");
    out.rate = parseSize(rate_);
    if (!out.rate || *out.rate == 0) fail("--rate \"" + harmlessLine(rate_) + "\" is no size; write 500k or 2M");
    return out;
  }

  LogArguments logArguments() const {
    LogArguments out;
    if (!operand_.empty()) out.run = parseNumber(operand_, "a run", "log");
    if (count_ < 1) fail("--count takes a whole number, not 0");
    out.count = static_cast<std::size_t>(count_);
    return out;
  }

  static std::optional<std::string> optional(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  }

  ExportArguments exportArguments() const {
    if (operand_.empty()) fail("export needs a directory to write to; write mailbraid export PATH");
    requireFormat({"maildir", "mbox", "eml"}, "maildir, mbox or eml");
    return {operand_, format_.empty() ? "maildir" : format_, mailboxes_};
  }

  void requireFormat(const std::vector<std::string>& known, std::string_view list) const {
    if (format_.empty() || std::find(known.begin(), known.end(), format_) != known.end()) return;
    const std::string near = didYouMean(format_, known);
    fail("--format \"" + harmlessLine(format_) + "\" is not known; write " + std::string(list) +
         (near.empty() ? "" : ";" + near));
  }

  std::vector<std::string> entries(const std::string& command) const {
    if (names_.empty()) fail(command + " needs the numbers of entries; `mailbraid ls MAILBOX` lists them");
    return names_;
  }

  FlagArguments flagArguments() const {
    FlagArguments out{entries("flag"), flagsOf(addFlags_), flagsOf(removeFlags_)};
    if (out.add.empty() && out.remove.empty()) fail("flag needs --add FLAG or --remove FLAG");
    if (out.add.without(out.remove) != out.add) fail("flag cannot add and remove the same flag");
    return out;
  }

  static mailstore::Flags flagsOf(const std::vector<std::string>& names) {
    mailstore::Flags out;
    for (const std::string& name : names) {
      if (out.add("\\" + name) || out.add(name)) continue;  // "seen" is \Seen to people
      fail("\"" + harmlessLine(name) +
           "\" is no flag; write seen, flagged, answered, draft, deleted, or a keyword without spaces");
    }
    return out;
  }

  MoveArguments moveArguments() const {
    MoveArguments out{entries("move"), {}, create_};
    if (out.entries.size() < 2)
      fail("move needs the numbers of entries and a mailbox; write mailbraid move 42 home/Work");
    out.mailbox = out.entries.back();
    out.entries.pop_back();
    return out;
  }

  ImportArguments importArguments() const {
    if (operand_.empty()) fail("import needs a file or a directory; write mailbraid import PATH");
    requireFormat({"maildir", "maildir++", "mbox", "thunderbird", "eml"},
                  "maildir, maildir++, mbox, thunderbird or eml");
    return {operand_, optional(format_), optional(braid_), into_, dryRun_};
  }

  VerifyArguments verifyArguments() const {
    if (names_.empty() && (full_ || !reports_.empty())) {
      fail(std::string(full_ ? "--full" : "--report") + " is for endpoints; write mailbraid verify ENDPOINT... " +
           (full_ ? "--full" : "--report FILE"));
    }
    return {names_, full_, {reports_.begin(), reports_.end()}};
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
    known.reserve(std::size(kCommands));
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
  std::vector<std::string> addFlags_;
  std::vector<std::string> removeFlags_;
  bool create_ = false;
  bool removed_ = false;
  std::string into_;
  std::string braid_;
  std::string forget_;
  bool final_ = false;
  std::string rate_;
  bool full_ = false;
  std::vector<std::string> reports_;
};

}  // namespace

Invocation parseArguments(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

}  // namespace mailbraid::cli
