// What the commands are called and do: for --help, the man page and the completions.
#pragma once

#include <array>
#include <string_view>

namespace mailbraid::cli {

/// What a command's operands are; tells completions what to offer.
enum class Operand { None, Endpoint, Mailbox, Run, Entry, Directory, Path, ConfigVerb, Shell };

struct CommandRow {
  std::string_view name;
  std::string_view synopsis;  ///< behind the name
  Operand operand;
  std::string_view options;  ///< long options of its own, by spaces
  std::string_view summary;
  std::string_view details;   ///< for the man page; may be empty
  std::string_view examples;  ///< a line each: "command line: what for"
};

inline constexpr std::string_view kGlobalOptions = "--config --json --quiet --verbose --log-file --help";

inline constexpr std::array kCommands = std::to_array<CommandRow>({
    {"check", "[ENDPOINT...]", Operand::Endpoint, "",
     "connect, log in and tell what each server can do; changes nothing",
     "Without names every endpoint of the configuration is checked.",
     "mailbraid check: every endpoint\n"
     "mailbraid check work -vvv: with the (redacted) protocol on standard error"},
    {"sync", "[ENDPOINT...] [--dry-run] [--allow-removals ENDPOINT[:MAILBOX]]...", Operand::Endpoint,
     "--dry-run --allow-removals", "one pass: pull every endpoint, then carry every change to every endpoint",
     "What is carried to an endpoint is up to its push, removals and other keys; push = [] makes it read-only. "
     "Removals of more than 20 messages and more than a "
     "quarter of a mailbox, or of all mailboxes of an endpoint together, are held back until they are allowed with "
     "--allow-removals; everything else is carried out. --dry-run prints what would be done: it changes nothing in a "
     "store that exists, makes an empty one when there is none, and needs the writer's lock, so that it ends with 75 "
     "while another sync is at work.",
     "mailbraid sync: every endpoint\n"
     "mailbraid sync work --dry-run: what would be done to one of them\n"
     "mailbraid sync --allow-removals work:INBOX: let the held removals of a mailbox go\n"
     "mailbraid sync -q: for cron: silence unless something is wrong"},
    {"migrate", "FROM... TO [--dry-run [--rate SIZE]] [--final] [--report FILE]... [--full]", Operand::Endpoint,
     "--dry-run --rate --final --report --full", "bring everything of some endpoints onto another one, and prove it",
     "FROM is only read (but for what leave_on_server says of a POP3 account), TO only gains: what it has already is "
     "recognised by its content. All go through the store, in the braid of TO. "
     "Run it as often as you like before the cut-over, and once more with --final after it: that run "
     "compares TO with the store message by message and says what is left to do. --dry-run tells what there is to "
     "bring, "
     "how much it is and how long it takes: at --rate octets a second, or as fast as the last large run. --report "
     "writes the comparison to FILE, which ends in .txt, .json or .html, after any run; with --full every octet is "
     "compared, not only sizes and headers.",
     "mailbraid migrate old-isp new-imap --dry-run: how much there is to do\n"
     "mailbraid migrate old-isp old-laptop new-imap: two sources\n"
     "mailbraid migrate old-isp new-imap --final --report migration.html: when mail arrives at the new account only"},
    {"status", "", Operand::None, "",
     "last success and last problem of each endpoint; what is held back or quarantined, and why", "",
     "mailbraid status: for people\n"
     "mailbraid status --json: one object an endpoint"},
    {"log", "[RUN]", Operand::Run, "--count", "the history of runs, newest first, or what one run did",
     "--count N prints the newest N runs (20 without it).",
     "mailbraid log: the newest runs\n"
     "mailbraid log 17: what run 17 did"},
    {"ls", "[MAILBOX] [--removed]", Operand::Mailbox, "--removed", "the mailboxes of the store, or the messages of one",
     "A mailbox is called BRAID/MAILBOX. --removed lists what was removed from it and can be restored. With --json an "
     "object a line: mailbox, role, messages, unseen; or entry, "
     "digest, size, "
     "flags, internal_date, message_id, from, subject.",
     "mailbraid ls: the mailboxes\n"
     "mailbraid ls home/INBOX: its messages\n"
     "mailbraid ls home/Sent --json: for scripts"},
    {"show", "ENTRY [--raw]", Operand::Entry, "--raw", "one message: for people, or with --raw its octets as they came",
     "",
     "mailbraid show 42: header fields and text, decoded\n"
     "mailbraid show 42 --raw > message.eml: exactly what the server gave"},
    {"export", "PATH [--format maildir|mbox|eml] [--mailbox MAILBOX]...", Operand::Directory, "--format --mailbox",
     "write the messages of the store, or of some mailboxes, below a directory",
     "Nothing that is there already is overwritten. The format is maildir unless --format says otherwise.",
     "mailbraid export ~/backup: everything as Maildir\n"
     "mailbraid export ~/backup --format mbox --mailbox home/INBOX: one mailbox as mbox"},
    {"flag", "ENTRY... [--add FLAG]... [--remove FLAG]...", Operand::Entry, "--add --remove",
     "change flags of messages in the store; the next sync carries that to every endpoint",
     "ENTRY is a number as ls prints it; - stands for the numbers on standard input. FLAG is seen, flagged, answered, "
     "draft, deleted, or a keyword.",
     "mailbraid flag 42 43 --add seen: mark two messages as read\n"
     "mailbraid ls home/INBOX --json | jq .entry | mailbraid flag - --remove seen: a whole mailbox as unread"},
    {"move", "ENTRY... BRAID/MAILBOX [--create]", Operand::Mailbox, "--create",
     "move messages of the store to another mailbox of their braid; the next sync carries that out",
     "--create makes the mailbox when there is none.",
     "mailbraid move 42 home/Work: one message\n"
     "mailbraid move 42 43 home/Work/2024 --create: into a new mailbox"},
    {"remove", "ENTRY...", Operand::Entry, "", "remove messages from the store, and by the next sync everywhere",
     "They are kept until their retention is over: ls --removed lists them, restore brings them back. Many at once are "
     "held back by the brake of sync until they are allowed.",
     "mailbraid remove 42: one message"},
    {"restore", "ENTRY...", Operand::Entry, "", "bring removed messages back, by the next sync everywhere", "",
     "mailbraid ls home/INBOX --removed: what can be restored\n"
     "mailbraid restore 42: one of them"},
    {"undo", "RUN", Operand::Run, "", "take back what a run did to the store; the next sync carries that out",
     "Flags, moves and removals of that run are taken back where nothing changed them since. Mail that arrived in a "
     "sync stays; what an import added is removed. An undo is a run itself, and can be undone.",
     "mailbraid log: find the run\n"
     "mailbraid undo 17: take it back"},
    {"import", "PATH [--into [BRAID/]MAILBOX] [--braid BRAID] [--format FORMAT] [--dry-run]", Operand::Path,
     "--into --braid --format --dry-run",
     "take mail from files into the store: a Maildir, mbox files, a Thunderbird tree, .eml files",
     "What the mailbox holds already, by content, is not doubled. Nothing is written to PATH. Mailboxes keep their "
     "names, and go by their roles as in a sync; --into puts them below a mailbox. The format is found out; --format "
     "maildir, maildir++, mbox, thunderbird or eml overrules that.",
     "mailbraid import ~/old/Maildir: a tree, into the only braid\n"
     "mailbraid import ~/Archive.mbox --into home/Archive/2019: one file"},
    {"gc", "[--forget ENDPOINT]", Operand::None, "--forget",
     "forget removed messages whose retention is over, and give their room back to the disk",
     "sync does the first once a day. A removed message waits until every endpoint that still has it was told; "
     "--forget ENDPOINT says that one which is no longer in the configuration will not come back.",
     "mailbraid gc: now"},
    {"verify", "[ENDPOINT...] [--full] [--report FILE]...", Operand::Endpoint, "--full --report",
     "prove that nothing is missing: the store against its digests, or endpoints against the store",
     "Without names every message of the store is read and compared with its digest, and the store's structure is "
     "checked; a message that differs is marked, and the next sync fetches it again if a server still has it. With "
     "names each of these endpoints is compared with the store, message by message: what is missing there, altered, in "
     "another mailbox than it should be, or there and not in the store. Nothing is written, there or in the store. "
     "Sizes "
     "and headers are compared, and bodies where these differ; --full reads every octet. Messages that the "
     "configuration "
     "leaves out are counted, and are no difference; nor are flags, nor the own dates of messages that were there "
     "before, which are remarks. --report writes all of it to FILE, which ends in .txt, .json (one object) or .html (a "
     "page to print and sign).",
     "mailbraid verify: exit code 12 when a message differs, 65 when the structure is damaged\n"
     "mailbraid verify work: is all there? 12 when something differs, 11 when messages were refused\n"
     "mailbraid verify work --full --report proof.html: every octet, and a page to sign"},
    {"config", "check|show|example", Operand::ConfigVerb, "",
     "check the configuration, show what it means, or print an example",
     "check names the file, line and key of every mistake. show prints every key with its value or default, without "
     "passwords. example prints a configuration with every key.",
     "mailbraid config check: every mistake at once\n"
     "mailbraid config show --json: for scripts\n"
     "mailbraid config example > ~/.config/mailbraid/config.toml: to begin with"},
    {"completion", "bash|zsh|fish", Operand::Shell, "", "print a completion script for a shell", "",
     "source <(mailbraid completion bash): for this shell\n"
     "mailbraid completion fish > ~/.config/fish/completions/mailbraid.fish: for ever"},
});

}  // namespace mailbraid::cli
