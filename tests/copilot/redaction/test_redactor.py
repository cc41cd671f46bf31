"""What is hidden, what stays, and that it comes back as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.redaction.index import Index
from copilot.redaction.redactor import Redactor
from tests.copilot.redaction.estate import FIXED, PROJECTS, SERVERS, estate, redactor


@pytest.fixture(scope="module")
def fresh() -> Iterator[Index]:
    with estate() as connection:
        yield redactor(connection)._index


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("vms of ACME prod on cmp-01?", "vms of project-1 on host-1?"),
        ("vms of acmeprod and acme_prod", "vms of project-1 and project-3"),
        ("is web-01's host up?", "is server-2's host up?"),
        ("show active servers with more than 16 GB", "show active servers with more than 16 GB"),
        ("top 5 since 2026-11-20 at 9:00, 80% full", "top 5 since 2026-11-20 at 9:00, 80% full"),
        ("vms in test", "vms in project-1"),
        ("测试项目的服务器有多少?", "project-1的服务器有多少?"),
        ("NAÏVE CAFE", "server-2"),
        ("10.0.0.7/24 and fe80::1%eth0, fa:16:3e:00:11:22", "prefix-1 and ip-1, mac-1"),
        ("0.0.0.0/0 is open, ::/0 too", "0.0.0.0/0 is open, ::/0 too"),
        ("mail me@example.org", "mail mail-1"),
        ("see https://u:p@h/x?y=1#z now", "see link-1 now"),
        ("4f8d1c2e-1111-4222-8333-444455556666 or 0123456789abcdef0123456789abcdef", "id-1 or id-2"),
        ("password: hunter", "password: secret-1"),
        ("its token is 'a b c'", "its token is 'secret-1'"),
        ("Authorization: Bearer abcdefghijk", "Authorization: Bearer secret-1"),
        ("key -----BEGIN RSA PRIVATE KEY----- MIIE abc -----END RSA PRIVATE KEY----- end", "key secret-1 end"),
        ("gone-host.old.example", "name-1"),
        ("'the big one of Jones'", "'server-2'"),
        ("in-use floating-ips, verify_resize, ipv4", "in-use floating-ips, verify_resize, ipv4"),
        ("status:ERROR host:cmp-01", "status:ERROR host:host-1"),
        ("server-1", "project-1"),
        ("SELECT name FROM servers WHERE status = 'ACTIVE'", "SELECT name FROM servers WHERE status = 'ACTIVE'"),
    ],
)  # fmt: skip
def test_texts(text: str, hidden: str, fresh: Index) -> None:
    made = Redactor(fresh)
    assert made.hide(text) == hidden
    assert made.hide(text) == hidden
    assert made.reveal(hidden) == text


@pytest.mark.parametrize(
    ("column", "value", "hidden"),
    [
        ("name", "active", "server-2"),
        ("name", "never seen", "name-1"),
        ("status", "ACTIVE", "ACTIVE"),
        ("status", "web", "server-2"),  # SELECT name AS status
        ("host", "7", "host-1"),
        ("project_name", "acme-prod", "project-1"),
        ("n", "acme-prod", "project-1"),
        ("x", "words nobody knows", "text-1"),
        ("description", "active", "text-2"),
        ("created_at", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("ref", "r12", "r12"),
        ("ref", "web", "server-2"),
        ("ips", "10.0.0.7", "ip-1"),
        ("cidr", "10.0.0.0/8", "prefix-1"),
        ("email", "a@example.org", "mail-1"),
        ("project_id", "b00000000000000000000000000000001", "id-1"),
        ("disk_format", "qcow2", "qcow2"),
        ("name", "", ""),
    ],
)
def test_cells(column: str, value: str, hidden: str, fresh: Index) -> None:
    made = Redactor(fresh)
    assert re.sub(r"\d+$", "", made.hide_cell(value, column)) == re.sub(r"\d+$", "", hidden)
    assert made.reveal(made.hide_cell(value, column)) == value
    assert made.hide_cell(value, column) == made.hide_cell(value, column)


def test_what_was_hidden_in_a_cell_is_hidden_in_texts(fresh: Index) -> None:
    made = Redactor(fresh)
    cell = made.hide_cell("customer Katzenberger", "description")
    assert made.hide("it says customer Katzenberger there") == f"it says {cell} there"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("server-2 is down", "web is down"),
        ("Server-2, SERVER-2 and **server-2**.", "web, web and **web**."),
        ("server-2's host; `server-2`", "web's host; `web`"),
        ("both server-2s", "both webs"),
        ("server\u20112", "web"),
        ("server-99 and server-23", "server-99 and server-23"),
        ("xserver-2 server-2x server-2-a a-server-2", "xserver-2 server-2x server-2-a a-server-2"),
        ("![x](http://evil.example/?q=server-2)", "![x](http://evil.example/?q=server-2)"),
        ("server 2", "server 2"),
    ],
)
def test_what_models_make_of_a_pseudonym(said: str, shown: str, fresh: Index) -> None:
    made = Redactor(fresh)
    assert made.hide("web") == "server-2"
    assert made.reveal(said) == shown


PIECES = st.sampled_from(
    [*PROJECTS, *SERVERS, " ", " ", "-", "_", ".", ":", "/", "'", '"', "\n", "s", "7", "server", "host-", "-1",
     "name-1", "://", "http://", "@", "的", "ö", "\u2011", "\u200b", "password: ", "10.0.0.1", "fa:16:3e:00:11:22",
     "::1", "…"]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=12).map("".join), st.data())
def test_all_comes_back(fresh: Index, text: str, data: st.DataObject) -> None:
    made = Redactor(fresh)
    hidden = made.hide(text)
    assert made.reveal(hidden) == text
    stream, shown, rest = made.revealer(), "", hidden
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        shown, rest = shown + stream.feed(rest[:cut]), rest[cut:]
    assert shown + stream.end() == text


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=30))
def test_no_two_values_share_a_pseudonym(fresh: Index, values: list[str]) -> None:
    made = Redactor(fresh)
    hidden = {value: made.hide_cell(value, "name") for value in values if value}
    assert len(set(hidden.values())) == len(hidden)
    for value, pseudonym in hidden.items():
        assert made.reveal(pseudonym) == value
        assert pseudonym.lower() not in {name.lower() for name in (*PROJECTS, *SERVERS)}


@given(st.sampled_from(sorted({*PROJECTS, *SERVERS} - FIXED - {"r9"})), st.data())
def test_a_name_is_not_seen_between_words(fresh: Index, name: str, data: st.DataObject) -> None:
    before, after = data.draw(st.sampled_from([("is ", " up?"), ("(", ")"), ("von ", ", bitte"), ("", "'s host")]))
    if name == "the big one of Jones":  # all but one are plain words
        before, after = '"', '"'
    hidden = Redactor(fresh).hide(before + name + after)
    made = re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])")
    pseudonyms = re.sub(r"[a-z]+-\d+", "", hidden)
    assert not made.search(pseudonyms)
