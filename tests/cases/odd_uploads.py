"""New mail for servers that refuse some of it, or break off."""

from odd_home import home, refuse
from scripted_imap import Cut, No, literals


def check_removed_on_append(program):
    """9, 10: a mailbox that is deleted at the server before its new message is uploaded."""
    def on_append(far):
        far.once("APPEND", lambda *_: far.mailboxes.pop("Work"))

    def after_list(far):
        far.once("STATUS", lambda *_: far.mailboxes.pop("Work"))

    def before_select(far):
        far.once("EXAMINE", lambda *_: far.mailboxes.pop("Work"))

    for when in (on_append, after_list, before_select):
        with home(program) as (at, far):
            at.add("n1", "Work")
            at.add("n2")
            when(far)
            at.run("sync", status=75)
            assert at.where("n2") == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
            assert at.where("n1")["near"] == ["Work"], at.held()
            at.sync()
            at.settled()
            assert at.where("n1") == {"near": ["Work"], "far": ["Work"]}, at.held()
            assert at.where("w1")["near"] == at.where("w1")["far"], at.held()


def check_refused_uploads(program):
    """9: some fit, and then none does; a limit; one that is not wanted while the others are."""
    def quota(far):
        def hook(*_):
            if len(far.mailboxes["INBOX"].messages) >= 5:
                raise No("[OVERQUOTA] full")
        return hook

    new = ["n1", "n2", "n3", "n4", "n5"]
    with home(program) as (at, far):
        for subject in new:
            at.add(subject)
        far.hooks["APPEND"] = quota(far)
        said = at.sync(75)
        assert said.count("quota") == 1 and "2 uploaded" in said, said
        said = at.sync(75)
        assert said.count("quota") == 1 and "uploaded" not in said, said
        at.repeats(75, "quota")
        far.hooks.clear()
        assert "3 uploaded" in at.sync()
        at.settled()
        assert at.server("far")["INBOX"].keys() == {"m1", "m2", "m3", *new}, at.held()

    with home(program) as (at, far):
        for subject in new:
            at.add(subject)
        far.hooks["APPEND"] = refuse("[LIMIT] too many at once")
        at.sync(75)
        at.repeats(75, "too many at once")
        far.hooks.clear()
        at.sync()
        at.settled()
        assert at.server("far")["INBOX"].keys() == {"m1", "m2", "m3", *new}, at.held()

    def unwanted(_, words):
        if b"Subject: n3" in words[-1]:
            raise No("I do not like it")

    with home(program) as (at, far):
        for subject in new:
            at.add(subject)
        far.hooks["APPEND"] = unwanted
        said = at.sync(11)
        assert "4 uploaded, 1 quarantined" in said, said
        assert sorted(at.sent["far"]) == [f"APPEND INBOX {subject}" for subject in new], at.sent
        assert "I do not like it" in at.run("status"), at.run("status")
        at.settled()
        assert at.where("n3") == {"near": ["INBOX"], "far": []}, at.held()


def check_broken_uploads(program):
    """9: the line breaks within a message, or when it is stored and nothing says so: it is there once afterwards."""
    for where in ("within", "stored"):
        for abilities in ("UIDPLUS MOVE", ""):
            for comes_back in (True, False):
                with home(program, abilities) as (at, far):
                    for subject in ("n1", "n2", "n3"):
                        at.add(subject)

                    def breaks(*_, comes_back=comes_back, far=far):
                        far.away = not comes_back
                        raise Cut

                    far.once("APPEND " + where, breaks)
                    at.sync(0 if comes_back else 75)
                    far.away = False
                    at.sync()
                    at.settled()
                    for subject in ("n1", "n2", "n3"):
                        assert at.where(subject) == {"near": ["INBOX"], "far": ["INBOX"]}, at.held()
