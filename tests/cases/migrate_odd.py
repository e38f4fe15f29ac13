"""migrate where servers are odd, or the user's words are: scripted servers, for which migrate.py runs these cases."""

import glob
import json
import os
import shutil

import odd_home
import scripted_imap
from migrate_trial import octets


class OneAccount(odd_home.PopServer):
    """The POP3 side of the INBOX of a scripted IMAP server."""

    def __init__(self, box):
        self.box = None
        super().__init__()
        self.box = box

    @property
    def messages(self):
        return [(f"U{uid}", message.octets) for uid, message in sorted(self.box.messages.items())]

    @messages.setter
    def messages(self, kept):
        for uid in [uid for uid in (self.box.messages if self.box else ()) if f"U{uid}" not in dict(kept)]:
            del self.box.messages[uid]


class LateAccount(OneAccount):
    """Its POP3 side shows a message that has just been delivered before IMAP does."""

    def __init__(self, box, late):
        self.late = None
        super().__init__(box)
        self.late = late

    @property
    def messages(self):
        return super().messages + ([(f"U{self.box.next}", self.late)] if self.late else [])

    @messages.setter
    def messages(self, kept):
        OneAccount.messages.fset(self, kept)

    def arrive(self):
        if self.late:
            self.box.add(scripted_imap.Message(self.late))
        self.late = None


def check_one_account(trial, _):
    """P1: POP3 deletes nothing at an account that the destination spells in another way, and that is said."""
    for user, extra in (("recent:me", 'leave_on_server = "no"'), ("Me@example.org", "newest = 1")):
        with scripted_imap.Server("LITERAL+ UIDPLUS") as imap:
            box = imap.mailboxes["INBOX"]
            for number in range(5):
                box.add(scripted_imap.Message(octets(number)))
            with OneAccount(box) as pop:
                home = trial.home(pop=trial.account("pop3", user, extra, pop.port), imap=trial.account("imap", "me", "", imap.port))
                for words in (("pop", "imap"), ("pop", "imap", "--final")):
                    said = trial.run(home, "migrate", *words)
                    assert len(box.messages) == 5, said
                assert "pop: nothing is deleted there" in said and "no leave_on_server or newest below [endpoint.pop]" in said, said
                trial.configure(home, pop=trial.account("pop3", user, extra + '\nbraid = "x"', pop.port),
                                imap=trial.account("imap", "me", 'braid = "x"', imap.port))
                assert "seems to be the same account" in trial.run(home, "sync", status=78)


def check_one_account_unknown(trial, _):
    """P1: POP3 deletes nothing that an IMAP account of the braid had by itself, whatever the two are called: they may be one."""
    for user in ("customer-17", "other"):
        with scripted_imap.Server("LITERAL+ UIDPLUS") as imap:
            box = imap.mailboxes["INBOX"]
            for number in range(5):
                box.add(scripted_imap.Message(octets(number)))
            with OneAccount(box) as pop:
                home = trial.home(pop=trial.account("pop3", user, 'leave_on_server = "no"', pop.port), imap=trial.account("imap", "me", "", imap.port))
                for words in (("migrate", "pop", "imap"), ("migrate", "pop", "imap", "--final")):
                    said = trial.run(home, *words)
                    assert len(box.messages) == 5 and "5 messages stay there, because an IMAP account had them already" in said, said
                trial.configure(home, pop=trial.account("pop3", user, 'leave_on_server = "no"\nbraid = "x"', pop.port),
                                imap=trial.account("imap", "me", 'braid = "x"', imap.port))
                shutil.rmtree(f"{home}/store")
                said = trial.run(home, "sync", "pop")
                assert len(box.messages) == 5 and "nothing is deleted there, since imap is of the same braid" in said, said
                imap.away = True
                said = trial.run(home, "sync", status=75)
                assert len(box.messages) == 5 and "nothing is deleted there, since imap could not be read in full" in said, said
                imap.away = False
                said = trial.run(home, "sync")
                assert len(box.messages) == 5 and "5 messages stay there, because" in said, said


def check_left_out_at_imap(trial, _):
    """P1: what the IMAP side of a POP3 account leaves out may be the very message: POP3 deletes none that mailbraid has not put there."""
    for extra in ('max_size = "2k"', 'max_age = "30d"', "max_messages = 1", 'mailboxes = ["*", "!INBOX"]'):
        for leave, limit in (("no", extra), ("until-removed", f"{extra}\npush = []")):
            with scripted_imap.Server("LITERAL+ UIDPLUS MOVE") as imap:
                box = imap.mailboxes["INBOX"]
                for number in range(3):
                    box.add(scripted_imap.Message(octets(number)))
                imap.make("Other").add(scripted_imap.Message(octets(50)))
                with OneAccount(box) as pop:
                    home = trial.home(pop=trial.account("pop3", "p", f'leave_on_server = "{leave}"\nbraid = "x"', pop.port),
                                      imap=trial.account("imap", "me", f'{limit}\nbraid = "x"', imap.port))
                    trial.run(home, "sync", "imap")
                    trial.run(home, "sync")
                    if leave == "until-removed":
                        for line in trial.run(home, "ls", "x/INBOX", "--json").splitlines()[:1]:
                            trial.run(home, "remove", str(json.loads(line)["entry"]))
                    said = trial.run(home, "sync")
                    assert sum(message.subject() in ("mail 0", "mail 1", "mail 2") for message in box.messages.values()) >= 3, (extra, leave, said)
                    assert "there, because an IMAP account had" in said, said


def check_account_of_the_braid_that_takes_no_part(trial, _):
    """P1: POP3 deletes nothing in a migration, either, that leaves out an IMAP account of its braid: the two may be one."""
    with scripted_imap.Server("LITERAL+ UIDPLUS") as imap, scripted_imap.Server("LITERAL+ UIDPLUS") as target:
        box = imap.mailboxes["INBOX"]
        with OneAccount(box) as pop:
            braid = 'braid = "x"'
            home = trial.home(pop=trial.account("pop3", "p", f'leave_on_server = "no"\n{braid}', pop.port),
                              imap=trial.account("imap", "me", f"push = []\n{braid}", imap.port), new=trial.account("imap", "n", braid, target.port))
            trial.run(home, "sync")
            for number in range(3):
                box.add(scripted_imap.Message(octets(number)))
            said = trial.run(home, "migrate", "pop", "new")
            assert len(box.messages) == 3 and "nothing is deleted there, since imap is of the same braid" in said, said


def check_upload_that_never_came_to_be(trial, _):
    """P1: an APPEND that was cut off proves nothing: the same message, seen there next, may be the account's only copy."""
    for abilities in ("LITERAL+ UIDPLUS", ""):
        with scripted_imap.Server(abilities) as imap:
            box = imap.mailboxes["INBOX"]
            box.add(scripted_imap.Message(octets(0)))
            with LateAccount(box, octets(1)) as pop:
                home = trial.home(pop=trial.account("pop3", "customer-17", 'leave_on_server = "no"\nbraid = "x"', pop.port),
                                  imap=trial.account("imap", "me", 'braid = "x"', imap.port))

                def delivered_and_cut(*_, account=pop):
                    account.arrive()
                    raise scripted_imap.Cut

                imap.hooks["APPEND announced"] = imap.hooks["APPEND"] = delivered_and_cut
                trial.run(home, "sync")
                imap.hooks.clear()
                for _ in range(2):
                    said = trial.run(home, "sync")
                    assert len(box.messages) == 2 and "2 messages stay there, because" in said, said


def check_removed_elsewhere_and_kept_by_imap(trial, _):
    """P1: what was removed elsewhere does not go by POP3 while an IMAP account, which had it by itself, is to keep it."""
    for rule, left in (("push = []", 8), ('push = ["new", "flags"]', 8), ('removals = "never"', 8), ('removals = "mark"', 8), ("", 7)):
        with scripted_imap.Server("LITERAL+ UIDPLUS") as imap:
            box = imap.mailboxes["INBOX"]
            for number in range(8):
                box.add(scripted_imap.Message(octets(number)))
            with OneAccount(box) as pop:
                home = trial.home()
                tree = f"{home}/laptop"
                os.mkdir(tree)
                trial.configure(home, pop=trial.account("pop3", "customer-17", 'leave_on_server = "until-removed"\nbraid = "x"', pop.port),
                                imap=trial.account("imap", "me", f'braid = "x"\n{rule}', imap.port),
                                laptop=f'type = "maildir"\npath = "{tree}"\nbraid = "x"')
                trial.run(home, "sync")
                files = glob.glob(f"{tree}/**/new/*", recursive=True) + glob.glob(f"{tree}/**/cur/*", recursive=True)
                os.unlink(min(files))
                for words in (("--dry-run",), (), ()):
                    said = trial.run(home, "sync", *words)
                    assert ("1 message stays there, because" in said) == (left == 8), (rule, words, said)
                assert len(box.messages) == left, (rule, said)


def check_both_sides_of_one_account_as_sources(trial, _):
    """POP3 takes nothing from an account that is an IMAP source, too: "nothing was changed there" is true."""
    for user in ("me@a.example", "customer-17"):
        with scripted_imap.Server("LITERAL+ UIDPLUS") as imap, scripted_imap.Server("LITERAL+ UIDPLUS") as target:
            box = imap.mailboxes["INBOX"]
            for number in range(5):
                box.add(scripted_imap.Message(octets(number)))
            with OneAccount(box) as pop:
                home = trial.home(pop=trial.account("pop3", user, 'leave_on_server = "no"', pop.port),
                                  imap=trial.account("imap", "me@a.example", "", imap.port),
                                  new=trial.account("imap", "you@b.example", "", target.port))
                for _ in range(2):
                    said = trial.run(home, "migrate", "pop", "imap", "new", "--final")
                    assert "imap still has 5 messages; nothing was changed there" in said and len(box.messages) == 5, said
                    assert len(target.mailboxes["INBOX"].messages) == 5, said


def check_dry_run_tells_what_stays(trial, _):
    """P1: a dry run tells no deletion that the run would not dare: without all IMAP accounts of the braid there is none."""
    with scripted_imap.Server("LITERAL+ UIDPLUS") as imap, odd_home.PopServer() as pop:
        pop.messages = [(f"u{number}", octets(number)) for number in range(3)]
        home = trial.home(pop=trial.account("pop3", "other", 'leave_on_server = "no"\nbraid = "x"', pop.port),
                          imap=trial.account("imap", "me", 'braid = "x"', imap.port))
        for _ in range(2):
            for words in (("pop", "--dry-run"), ("pop",)):
                said = trial.run(home, "sync", *words)
                assert "nothing is deleted there, since imap is of the same braid" in said and "removed there" not in said, said
        imap.away = True
        for words in (("--dry-run",), ()):
            said = trial.run(home, "sync", *words, status=75)
            assert "nothing is deleted there, since imap could not be read in full" in said and "removed there" not in said, said
        imap.away = False
        trial.run(home, "sync")
        assert not pop.messages, "with all of them read, what was put there goes"


def check_copies_are_deleted(trial, _):
    """What POP3 gave and mailbraid has put at the IMAP account need not stay, also where the server names no UIDs."""
    for abilities in ("LITERAL+ UIDPLUS", ""):
        with scripted_imap.Server(abilities) as imap, odd_home.PopServer() as pop:
            imap.mailboxes["INBOX"].add(scripted_imap.Message(octets(0, route=1)))
            pop.messages = [(f"u{number}", octets(number)) for number in range(5)]
            home = trial.home(pop=trial.account("pop3", "other", 'leave_on_server = "no"\nbraid = "x"', pop.port),
                              imap=trial.account("imap", "me", 'braid = "x"', imap.port))
            trial.run(home, "sync")
            said = trial.run(home, "sync")
            assert [name for name, _ in pop.messages] == ["u0"], said
            assert "1 message stays there, because an IMAP account had it already" in said, said
            assert len(imap.mailboxes["INBOX"].messages) == 5, said


def check_mailbox_that_is_no_longer_synced(trial, _):
    """P1: pairs of a destination's mailbox that the configuration leaves out by now justify no deletion."""
    with scripted_imap.Server("LITERAL+ UIDPLUS") as imap, odd_home.PopServer() as pop:
        imap.make("Else")
        pop.messages = [(f"u{number}", octets(number)) for number in range(3)]
        home = trial.home(pop=trial.account("pop3", "other", "", pop.port), imap=trial.account("imap", "me", "", imap.port))
        trial.run(home, "migrate", "pop", "imap")
        imap.mailboxes["INBOX"].messages.clear()
        trial.configure(home, pop=trial.account("pop3", "other", 'leave_on_server = "no"', pop.port),
                        imap=trial.account("imap", "me", 'mailboxes = ["Else"]', imap.port))
        said = trial.run(home, "migrate", "pop", "imap", status=11)
        assert len(pop.messages) == 3 and "3 messages stay there until imap is known to hold them" in said, said
        assert "3 messages taken, 0 at imap, 3 not; 3 had been put into mailboxes of imap that this run did not read" in said, said
        trial.run(home, "migrate", "pop", "imap", "--final", status=12)


def check_deleted_at_the_source(trial, _):
    """A mailbox that was deleted at the source after it was migrated leaves nothing to be brought: the migration is complete."""
    with scripted_imap.Server("LITERAL+ UIDPLUS") as source, scripted_imap.Server("LITERAL+ UIDPLUS") as target:
        for box, numbers in ((source.mailboxes["INBOX"], range(3)), (source.make("Old"), range(10, 15))):
            for number in numbers:
                box.add(scripted_imap.Message(octets(number)))
        home = trial.home(old=trial.account("imap", "o", "", source.port), new=trial.account("imap", "me", "", target.port))
        trial.run(home, "migrate", "old", "new")
        del source.mailboxes["Old"]
        said = trial.run(home, "migrate", "old", "new", "--final")
        assert "only at the source" not in said and "Nothing is missing" in said, said


def check_removed_at_the_destination(trial, _):
    """What was removed at the destination is not brought again: nobody is told to run it again for that."""
    with scripted_imap.Server("LITERAL+ UIDPLUS") as source, scripted_imap.Server("LITERAL+ UIDPLUS") as target:
        for number in range(3):
            source.mailboxes["INBOX"].add(scripted_imap.Message(octets(number)))
        home = trial.home(old=trial.account("imap", "o", "", source.port), new=trial.account("imap", "me", "", target.port))
        trial.run(home, "migrate", "old", "new")
        del target.mailboxes["INBOX"].messages[1]
        said = trial.run(home, "migrate", "old", "new", status=11)
        assert "running it again as it is brings no more" in said and "to go on" not in said, said


def check_missing_is_told(trial, _):
    """Messages that are not at the destination: each run says so and ends with 11, with -q, too; and why is true."""
    def refuse(_, words):
        if b"Subject: mail 1\r" in scripted_imap.literals(words)[0]:
            raise scripted_imap.No("I do not like it")

    def rewrite(*_):
        for message in target.mailboxes["INBOX"].messages.values():
            if not message.octets.endswith(b"--rewritten\r\n"):
                message.octets += b"--rewritten\r\n"

    for hook, action, abilities, why in (
            ("APPEND", refuse, "LITERAL+ UIDPLUS", "1 not, of which 1 refused there; `mailbraid status` says why"),
            ("APPEND stored", rewrite, "LITERAL+", "3 not; 3 had been uploaded and were not seen there since")):
        source = trial.user()
        trial.fill(source, "INBOX", range(3))
        with scripted_imap.Server(abilities) as target:
            target.hooks[hook] = action
            home = trial.home(old=trial.account("pop3", source), new=trial.account("imap", "me", "", target.port))
            for words in ((), ("-q",), ("-q",)):
                said = trial.run(home, "migrate", "old", "new", *words, status=11)
                assert why in said and ("status" in said) == ("refused" in why), said
            trial.migration(home, "old", "new", status=11)
            trial.migration(home, "old", "new", "--final", status=12)
            del target.hooks[hook]


def check_promised_and_not_kept(trial, _):
    """P1: POP3 deletes only what the destination was seen to have; its answer to APPEND is no proof, also with QRESYNC."""
    for abilities in ("LITERAL+ UIDPLUS", "LITERAL+ UIDPLUS ENABLE CONDSTORE", "LITERAL+ UIDPLUS ENABLE CONDSTORE QRESYNC"):
        with scripted_imap.Server(abilities) as target, odd_home.PopServer() as pop:
            box = target.mailboxes["INBOX"]
            box.add(scripted_imap.Message(octets(99)))
            home = trial.home(old=trial.account("pop3", "o", 'leave_on_server = "no"', pop.port), new=trial.account("imap", "me", "", target.port))
            trial.run(home, "migrate", "old", "new")  # now what INBOX looked like is known
            pop.messages = [(f"U{number}", octets(number)) for number in range(5)]

            def forget(*_):
                for subject in {"mail 2", "mail 3"} & set(box.subjects()):
                    box.expunge(subject)

            target.hooks["APPEND stored"] = forget
            said = trial.run(home, "migrate", "old", "new", "--final", status=12)
            assert [name for name, _ in pop.messages] == ["U2", "U3"], (abilities, pop.messages, said)
            assert "every one of them is at new" not in said and "2 messages stay there until new is known to hold them" in said, said
            assert box.subjects() == ["mail 0", "mail 1", "mail 4", "mail 99"], box.subjects()


def check_hidden_at_the_source(trial, _):
    """A source that shows fewer messages than it holds is no complete migration, from the first run on; what it shows is taken."""
    for abilities in ("LITERAL+ UIDPLUS", "LITERAL+ UIDPLUS ESEARCH UNSELECT", "LITERAL+ UIDPLUS ENABLE QRESYNC"):
        with scripted_imap.Server(abilities) as source, scripted_imap.Server("LITERAL+ UIDPLUS") as target:
            for number in range(10):
                source.mailboxes["INBOX"].add(scripted_imap.Message(octets(number)))
            source.shows_most = 3
            home = trial.home(old=trial.account("imap", "o", "", source.port), new=trial.account("imap", "me", "", target.port))
            for _ in range(2):
                said = trial.run(home, "migrate", "old", "new", "--final", status=75)
                assert "old INBOX: the server says that it holds 10 messages, and shows 3 of them" in said, said
                assert "Migration of old to new: Nothing is missing" not in said and "keep the sources" in said, said
                assert len(target.mailboxes["INBOX"].messages) == 3, said
            source.shows_most = None
            said = trial.run(home, "migrate", "old", "new", "--final")
            assert "Nothing is missing" in said and len(target.mailboxes["INBOX"].messages) == 10, said


def check_hidden_at_the_destination(trial, _):
    """Nothing is uploaded to a mailbox that may hold it already, but does not show it: nothing is there twice."""
    for abilities in ("LITERAL+ UIDPLUS", "LITERAL+ UIDPLUS UNSELECT", "LITERAL+ UIDPLUS ENABLE QRESYNC"):
        with scripted_imap.Server("LITERAL+ UIDPLUS") as source, scripted_imap.Server(abilities) as target:
            for number in range(10):
                source.mailboxes["INBOX"].add(scripted_imap.Message(octets(number)))
                target.mailboxes["INBOX"].add(scripted_imap.Message(octets(number)))
            target.make("Other")
            target.shows_most = 3
            home = trial.home(old=trial.account("imap", "o", "", source.port), new=trial.account("imap", "me", "", target.port))
            for _ in range(2):
                said = trial.run(home, "migrate", "old", "new", status=75)
                assert "new INBOX: the server says that it holds 10 messages, and shows 3 of them" in said, said
                assert len(target.mailboxes["INBOX"].messages) == 10, said
            target.shows_most = None
            trial.run(home, "migrate", "old", "new", "--final")
            assert len(target.mailboxes["INBOX"].messages) == 10
