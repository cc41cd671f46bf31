"""How the command line confirms a plan, reads options and makes commands of the declared actions."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from store.types.actions import ACTIONS
from tui.cli import acting
from tui.cli.acting import How, confirmed, value_of, values_of
from tui.cli.commands import app
from tui.cli.options import GlobalOptions

KEY = ["c", "r", "id-1"]


def plan(**more: Any) -> dict[str, Any]:
    """A plan of one machine."""
    item = {"key": KEY, "ok": True, "problem": None, "override": None, **more.pop("item", {})}
    requires = {"reason": False, "ticket": False, "ticket_pattern": None, "typed": None, "override": None}
    refused = sum(not one["ok"] for one in [item])
    asked = requires | more.pop("requires", {})
    return {"items": [item], "count": 1, "refused": refused, "requires": asked, "hash": "h", **more}


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody at the terminal who gives these answers."""

    def answers(*lines: str) -> list[str]:
        asked: list[str] = []
        left = iter(lines)

        def line(question: str, otherwise: str) -> str:
            asked.append(question)
            return next(left)

        monkeypatch.setattr(acting, "ask_line", line)
        return asked

    return answers


LOCKED = {"ok": False, "problem": "web-3 is locked: month end", "override": "type it"}


@pytest.mark.parametrize(
    ("made", "how", "answers", "body"),
    [
        (plan(), How(), ["y"], {"typed": ""}),
        (plan(), How(yes=True), [], {"typed": ""}),
        (plan(requires={"typed": "web-3"}), How(yes=True), ["web-3"], {"typed": "web-3"}),
        (plan(requires={"typed": "web-3"}), How(typed="web-3"), [], {"typed": "web-3"}),
        (plan(requires={"reason": True}), How(yes=True), ["because"], {"reason": "because"}),
        (plan(requires={"reason": True}), How(yes=True, reason="so"), [], {"reason": "so"}),
        (
            plan(requires={"ticket": True, "ticket_pattern": "CHG.*"}), How(yes=True), ["CHG1"], {"ticket": "CHG1"},
        ),
        (plan(), How(yes=True, stop_after=3), [], {"stop_after": 3, "hash": "h", "override": []}),
        (
            plan(item=LOCKED, requires={"override": "web-3"}), How(pass_lock=True), ["web-3"],
            {"typed": "web-3", "override": [KEY]},
        ),
    ],
)  # fmt: skip
def test_what_is_sent(person: Any, made: dict[str, Any], how: How, answers: list[str], body: dict[str, Any]) -> None:
    asked = person(*answers)
    found = confirmed(made, how)
    assert {name: found[name] for name in body} == body
    assert len(asked) == len(answers)


@pytest.mark.parametrize(
    ("made", "how", "answers", "code", "words"),
    [
        (plan(), How(), ["n"], 1, "nothing is done"),
        (plan(), How(), [""], 1, "nothing is done"),
        (plan(requires={"typed": "web-3"}), How(), ["web-4"], 1, "not the phrase"),
        (plan(item={"ok": False, "problem": "web-3 is gone"}), How(yes=True), [], 1, "nothing is done: web-3 is gone"),
        (plan(item=LOCKED), How(yes=True), [], 1, "--pass-lock goes through the lock"),
        (plan(), How(pass_lock=True), [], 2, "one locked machine"),
    ],
)
def test_nothing_is_done(
    person: Any,
    capsys: pytest.CaptureFixture[str],
    made: dict[str, Any],
    how: How,
    answers: list[str],
    code: int,
    words: str,
) -> None:
    person(*answers)
    with pytest.raises(SystemExit) as ended:
        confirmed(made, how)
    assert ended.value.code == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("made", "hint"), [(plan(), "--yes"), (plan(requires={"typed": "web-3"}), "--yes-typed")])
def test_without_a_person_nothing_is_assumed(
    capsys: pytest.CaptureFixture[str], made: dict[str, Any], hint: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        confirmed(made, How())
    assert ended.value.code == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("action", "option", "text", "value"),
    [
        ("server.reboot", "type", "hard", "HARD"),
        ("network.create", "mtu", "1400", 1400),
        ("network.create", "shared", "yes", True),
        ("network.create", "shared", "false", False),
        ("security_group_rule.create", "ethertype", "ipv6", "IPv6"),
    ],
)
def test_values(action: str, option: str, text: str, value: Any) -> None:
    assert value_of(ACTIONS[action].option(option), text) == value
    assert values_of(ACTIONS[action], [f"{option}={text}"]) == {option: value}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mtu=large", "mtu must be a whole number"),
        ("mtu=1", "mtu must be at least 68"),
        ("shared=perhaps", "shared must be true or false"),
        ("provider_network_type=token-ring", "must be one of"),
        ("name=a\nb", "control characters"),
        ("bogus=1", "takes name=value of name, project"),
        ("mtu", "takes name=value of"),
    ],
)
def test_values_that_are_none(capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        values_of(ACTIONS["network.create"], [text])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("action", ACTIONS.values(), ids=list(ACTIONS))
def test_every_action_has_its_command(monkeypatch: pytest.MonkeyPatch, action: Any) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(acting, "act", lambda *given: seen.append(given))
    words = [action.type.replace("_", "-"), action.verb, "first", "--reason", "why", "--dry-run", "-o", "json"]
    values: dict[str, Any] = {"mtu": "1400", "vcpus": "2", "ram": "512", "project": "acme"}
    sent: dict[str, Any] = {}
    for option in action.options:
        if option.name in values or (option.required and not action.creates):
            words += [f"--{option.name.replace('_', '-')}", values.get(option.name, "x")]
            sent[option.name] = value_of(option, values.get(option.name, "x"))
    done = CliRunner().invoke(app, words, obj=GlobalOptions())
    assert done.exit_code == 0, done.output
    ((_, declared, refs, given, how),) = seen
    first = next((option.name for option in action.options if option.required), "") if action.creates else ""
    assert declared is action
    assert list(refs) == ([] if action.creates else ["first"])
    assert given == sent | ({first: "first"} if first else {})
    assert (how.reason, how.dry_run, how.output, how.wait, how.typed) == ("why", True, "json", True, None)
    # The same by its name.
    options: list[str] = []
    for name, value in given.items():
        options += ["--option", f"{name}={value}"]
    by_name = ["do", action.id, *refs, *options, "--reason", "why", "--dry-run", "-o", "json"]
    assert CliRunner().invoke(app, by_name, obj=GlobalOptions()).exit_code == 0
    assert seen[1] == seen[0]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["do", "server.explode", "x"], "there is no action server.explode"),
        (["server", "stop"], "say what to stop"),
        (["server", "stop", "a", "--filter", "b"], "not both"),
        (["do", "network.create", "ref", "--option", "name=x"], "takes no resources"),
        (["jobs", "3", "explode"], "not 'explode'"),
        (["server", "reboot", "a", "--type", "MAYBE"], "must be one of SOFT, HARD"),
    ],
)
def test_command_lines_that_make_no_sense(words: list[str], hint: str) -> None:
    done = CliRunner().invoke(app, words, obj=GlobalOptions())
    assert done.exit_code == 2
    assert hint in done.output
