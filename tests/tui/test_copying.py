"""Copying: the chain of ways, in words that promise nothing, and nothing hostile in what is pasted."""

from __future__ import annotations

import base64
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake import FakeClient
from tests.tui.screen import console, text, until, until_text
from tui.clipboard import (
    MOST_ENCODED,
    Settings,
    copy,
    encoded_size,
    many_lines,
    one_line,
    osc52,
    settings,
    to_file,
    to_tmux,
)
from tui.console import QuarterdeckApp
from tui.copying import command, openstack_words, plain, qdeck_words

ID = "00000000-7e1f-4a4c-9c1d-000000000000"
HOSTILE = "\x1b]0;owned\x07web\n; rm -rf /\r\x9b31m\u202egpj"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files go to a folder of the test; no tmux of the person who runs it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TMUX", raising=False)
    return tmp_path


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sequences that the terminal was sent."""
    found: list[str] = []
    monkeypatch.setattr(QuarterdeckApp, "send_sequence", lambda app, sequence: found.append(sequence))
    return found


def decoded(sequence: str) -> str:
    assert sequence.startswith("\x1b]52;c;") and sequence.endswith("\x07")
    return base64.b64decode(sequence[7:-1]).decode()


@pytest.mark.parametrize(
    ("env", "wanted"),
    [
        ({}, Settings()),
        ({"QDECK_CLIPBOARD": " OSC52 ", "TMUX": "/tmp/x,1,0"}, Settings("osc52", in_tmux=True)),
        ({"QDECK_CLIPBOARD": "file", "QDECK_OSC52_MAX": "100"}, Settings("file", 100)),
        ({"QDECK_CLIPBOARD": "xsel"}, Settings(problem="QDECK_CLIPBOARD is one of auto, osc52, tmux, file")),
        ({"QDECK_OSC52_MAX": "many"}, Settings(problem="QDECK_OSC52_MAX is a number of bytes")),
    ],
)
def test_settings(env: dict[str, str], wanted: Settings) -> None:
    assert settings(env) == wanted


@given(st.text())
def test_what_is_pasted_is_harmless(text: str) -> None:
    line = one_line(text)
    assert not set(line) & set("\n\r\t\x0b\x0c\x1b\x07\x9b\x85\u2028\u202e")
    assert not set(many_lines(text)) & set("\r\x1b\x07\x9b\u202e")
    assert shlex.split(command(["show", text])) == ["show", line]


@given(st.text())
def test_the_sequence_holds_the_text_and_nothing_else(text: str) -> None:
    text = many_lines(text)
    sequence = osc52(text, in_tmux=False)
    assert decoded(sequence) == text
    assert len(sequence) - len("\x1b]52;c;\x07") == encoded_size(text)
    through = osc52(text, in_tmux=True)
    assert through.startswith("\x1bPtmux;\x1b\x1b]52;c;") and through.endswith("\x07\x1b\\")
    assert through.count("\x1b") == 4


def test_the_chain(here: Path) -> None:
    out: list[str] = []
    works, fails = (lambda text: ""), (lambda text: "tmux: no server running")
    assert copy("web-3", out.append, Settings(), tmux=works) == "sent it to the terminal (OSC 52)"
    assert [decoded(sequence) for sequence in out] == ["web-3"]
    inside = Settings(in_tmux=True)
    assert copy("web-3", out.append, inside, tmux=works) == "sent it to tmux's buffer, and by tmux to the terminal"
    assert len(out) == 1
    said = copy("a\nb", out.append, inside, tmux=fails)
    assert said == "sent 2 lines to the terminal (OSC 52); tmux: no server running"
    assert out[1].startswith("\x1bPtmux;")
    said = copy("web-3", out.append, Settings("tmux"), tmux=fails)
    assert said.startswith(f"written to {here}/qdeck-copy-2") and said.endswith("tmux: no server running")
    said = copy("web-3", out.append, Settings("file"))
    assert (here / said.removeprefix("written to ")).read_text() == "web-3"
    assert len(out) == 2 and "copied" not in said
    assert "QDECK_CLIPBOARD is" in copy("web-3", out.append, settings({"QDECK_CLIPBOARD": "x"}))


def test_more_than_a_terminal_takes_goes_to_a_file(here: Path) -> None:
    out: list[str] = []
    fits = "x" * (MOST_ENCODED // 4 * 3)
    assert copy(fits, out.append, Settings()).startswith("sent 56,244 characters to the terminal")
    said = copy(fits + "xxx", out.append, Settings())
    assert len(out) == 1
    assert "74,996 bytes are more than the 74,994 a terminal takes" in said
    [file] = here.iterdir()
    assert file.read_text() == fits + "xxx" and file.stat().st_mode & 0o777 == 0o600


def test_files_never_meet(here: Path) -> None:
    assert len({to_file(str(number)) for number in range(3)}) == 3
    assert to_file("x", (here / "nowhere", here)).parent == here


def test_tmux_is_asked(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmux = here / "tmux"
    tmux.write_text('#!/bin/sh\n[ "$*" = "load-buffer -w -" ] && /bin/cat > buffer\n')
    tmux.chmod(0o700)
    monkeypatch.setenv("PATH", str(here))
    assert to_tmux("one\ntwo") == ""
    assert (here / "buffer").read_text() == "one\ntwo"
    tmux.write_text("#!/bin/sh\nprintf 'no \\033[31mserver' >&2; exit 1\n")
    assert to_tmux("x") == "tmux: no \N{REPLACEMENT CHARACTER}[31mserver"
    monkeypatch.setenv("PATH", "/nonexistent")
    assert to_tmux("x") == "there is no tmux to be found"

    def hang(*words: object, **more: object) -> None:
        raise subprocess.TimeoutExpired("tmux", 2)

    monkeypatch.setattr(subprocess, "run", hang)
    assert to_tmux("x") == "tmux does not answer"


def test_commands() -> None:
    key = ("prod", "eu-1", ID)
    words = openstack_words("server", key, "web", "prod-admin")
    assert command(words) == f"openstack --os-cloud prod-admin --os-region-name eu-1 server show {ID}"
    assert openstack_words("snapshot", ("prod", "", "s"), "", "")[3:] == ["volume", "snapshot", "show", "s"]
    assert openstack_words("keypair", key, "ada's", "")[-1] == "ada's"
    assert openstack_words("storage_pool", key, "", "") == []
    assert command(qdeck_words("floating_ip", key)) == f"qdeck show floating_ip {ID} --cloud prod --region eu-1"
    assert command(["x", "a'; rm -rf / #", "$(id)"]) == "x 'a'\"'\"'; rm -rf / #' '$(id)'"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(None, ""), (True, "true"), (8192, "8192"), (["a", "b\nc"], "a, b c"), ({"a": 1}, '{"a": 1}'), ("a\tb", "a b")],
)
def test_values(value: object, wanted: str) -> None:
    assert plain(value) == wanted


async def test_of_a_row(sent: list[str]) -> None:
    client = FakeClient(50)
    client.override[0, "name"] = HOSTILE
    async with console(client, size=(120, 24)) as (_, pilot):
        await pilot.press("c")
        await until_text(pilot, "openstack command", "qdeck command", ID)
        await pilot.press("i")
        await until_text(pilot, "sent it to the terminal (OSC 52)")
        for keys in ("cn", "cr", "co", "cs"):
            await pilot.press(*keys)
        await pilot.press("right", "c", "c")
        await until(pilot, lambda: len(sent) == 6, "six texts")
        id, name, row, openstack, qdeck, cell = map(decoded, sent)
        assert id == ID
        assert name == "\ufffd]0;owned\ufffdweb ; rm -rf / \ufffd31m\ufffdgpj"
        assert row == f"{name}\tACTIVE\tacme-prod\tcmp-000\t1\t1024\t20\t10.0.0.0, 203.0.113.9"
        assert openstack == f"openstack --os-cloud prod-eu --os-region-name eu-1 server show {ID}"
        assert qdeck == f"qdeck show server {ID} --cloud prod-eu --region eu-1"
        assert cell == "ACTIVE"


async def test_of_marks(sent: list[str]) -> None:
    async with console(FakeClient(50)) as (_, pilot):
        await pilot.press("space", "space", "c")
        await until_text(pilot, "ids of the 2 marked")
        await pilot.press("m")
        await until(pilot, lambda: sent, "a text")
        assert [line[:8] for line in decoded(sent[0]).split("\n")] == ["00000000", "00000001"]
        await pilot.press("asterisk", "c", "m")
        await until_text(pilot, "E saves them to a file")
        assert len(sent) == 1


async def test_of_one_resource_and_its_document(sent: list[str]) -> None:
    client = FakeClient(50)
    client.docs[ID] = {"name": HOSTILE, "tags": ["a", "b"]}
    async with console(client) as (_, pilot):
        await pilot.press("enter")
        await until_text(pilot, "FIELD")
        await pilot.press("slash", *"vcpus", "enter")
        await until(pilot, lambda: "▸ vcpus" in text(pilot.app), "the field")
        await pilot.press("c")
        await until_text(pilot, "cell: vcpus", "0000000-web")
        await pilot.press("c")
        await until(pilot, lambda: sent, "the value")
        assert decoded(sent.pop()) == "1"
        await pilot.press("y")
        await until_text(pilot, "tags:")
        await pilot.press("c", "a")
        await until(pilot, lambda: sent, "the document")
        whole = decoded(sent.pop())
        assert "tags:\n- a\n- b\n" in whole and not set(whole) & set("\x1b\x07\x9b\r\u202e")
        await pilot.press("G", "c", "c")
        await until(pilot, lambda: sent, "the line")
        assert decoded(sent.pop()) == "- b"
