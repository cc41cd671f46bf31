"""Questions cut into words: what is glued is cut, what is a name stays whole, and nothing that was typed breaks it."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.language.tokens import tokenise

_SHORT = {"w": "word", "n": "number", "q": "quoted", "a": "address", "m": "mac", "i": "id", "N": "name", ".": "mark"}


def read(question: str, *known: str) -> list[tuple[str, str]]:
    return [(token.word, token.kind) for token in tokenise(question, known)]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("", ""),
        ("   ", ""),
        ("?!...", ""),
        ("List VMs", "list vms"),
        ("list vms?", "list vms"),
        ("list vms ??!", "list vms"),
        ("list vms...", "list vms"),
        ("what's down", "what is down"),
        ("whats down", "what is down"),
        ("What\u2019s down", "what is down"),
        ("who's the owner", "who is the owner"),
        ("where's web", "where is web"),
        ("how's it", "how is it"),
        ("it's", "it is"),
        ("let's see", "let us see"),
        ("the vm's owner", "the vm owner"),
        ("how many vm's", "how many vm"),
        ("the projects' quota", "the projects quota"),
        ("isn't", "is not"),
        ("isnt", "is not"),
        ("aren't", "are not"),
        ("don't", "do not"),
        ("dont", "do not"),
        ("doesn't", "does not"),
        ("hasn't", "has not"),
        ("haven't", "have not"),
        ("weren't", "were not"),
        ("can't", "can not"),
        ("cannot", "can not"),
        ("won't", "will not"),
        ("ain't", "is not"),
        ("DON'T", "do not"),
        ("I'm we've they'll he'd we're", "i am we have they will he would we are"),
        ("gimme howmany", "give me how many"),
        ("cpu/ram", "cpu / ram"),
        ("cpu / ram", "cpu / ram"),
        ("and/or", "or"),
        ("w/o volumes", "without volumes"),
        ("vms w/ volumes", "vms with volumes"),
        ("cpu & ram", "cpu and ram"),
        ("cpu+ram", "cpu + ram"),
        ("status:error", "status error"),
        ("status: error", "status error"),
        ("status=error", "status = error"),
        ("status==error", "status = error"),
        ("status!=error", "status != error"),
        ("status<>error", "status != error"),
        ("!running", "not running"),
        ("a, b; c", "a , b , c"),
        ("vms \u2014 all", "vms , all"),
        ("vms (stopped)", "vms stopped"),
        ("powered-on", "powered on"),
        ("powered_off", "powered off"),
        ("Powered-Off vms", "powered off vms"),
        ("floating-ip", "floating ip"),
        ("security-group", "security group"),
        ("non-running", "not running"),
        ("over-committed", "over committed"),
        ("mon-wed", "mon - wed"),
        ("caf\u00e9", "cafe"),
        ("cafe\u0301", "cafe"),
        ("\uff36\uff2d\uff53", "vms"),
        ("na\u00efve \u00dcber", "naive uber"),
        ("vms\u202e\u200b on\x1b[31m", "vms on 31 m"),
        ("vms\u00a0on\thost\nx", "vms on host x"),
        ("e\u0000rror", "error"),
        ("'lonely", "lonely"),
        ('lonely"', "lonely"),
        ("ipv6 addresses", "ipv6 addresses"),
    ],
)
def test_plain_words(question: str, words: str) -> None:
    assert " ".join(token.word for token in tokenise(question)) == words


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("8", "8:n"),
        ("8GB", "8:n gb:w"),
        ("8 gb", "8:n gb:w"),
        ("16gigs", "16:n gigs:w"),
        ("1.5TB", "1.5:n tb:w"),
        (".5tb", ".5:n tb:w"),
        ("\u00bd tb", ".5:n tb:w"),
        ("1\u00bd", "1.5:n"),
        ("4vcpu", "4:n vcpu:w"),
        ("10%", "10:n %:."),
        (">=8", ">=:. 8:n"),
        ("=>8", ">=:. 8:n"),
        ("\u22658", ">=:. 8:n"),
        ("=<8", "<=:. 8:n"),
        ("> 8gb", ">:. 8:n gb:w"),
        ("8+", "8:n +:."),
        ("8gb+", "8:n gb:w +:."),
        ("~8", "~:. 8:n"),
        ("1,000 vms", "1000:n vms:w"),
        ("1,234,567", "1234567:n"),
        ("1, 2", "1:n ,:. 2:n"),
        ("1,2", "1:n ,:. 2:n"),
        ("host #3", "host:w 3:n"),
        ("4-8", "4:n -:. 8:n"),
        ("4\u20138", "4:n -:. 8:n"),
        ("4 - 8", "4:n -:. 8:n"),
        ("4gb-8gb", "4:n gb:w -:. 8:n gb:w"),
        ("4-8gb", "4:n -:. 8:n gb:w"),
        ("512mb-2gb", "512:n mb:w -:. 2:n gb:w"),
        ("4vcpu-8gb", "4vcpu-8gb:N"),
        ("9am-5pm", "9:n am:w -:. 5:n pm:w"),
        ("9:00-10:30", "9:00:N -:. 10:30:N"),
        ("24h", "24:n h:w"),
        ("2h30m", "2:n h:w 30:n m:w"),
        ("24-hour", "24:n hour:w"),
        ("3-day-old", "3:n day:w old:w"),
        ("top5", "top:w 5:n"),
        ("top-5", "top:w 5:n"),
        ("last7days", "last:w 7:n days:w"),
        ("last-24h", "last:w 24:n h:w"),
        ("9am", "9:n am:w"),
        ("9 a.m.", "9:n am:w"),
        ("9:30pm", "9:30pm:N"),
        ("9:30p.m.", "9:30:N pm:w"),
        ("9:00", "9:00:N"),
        ("09:30:15", "09:30:15:N"),
        ("14:00Z", "14:00z:N"),
        ("14:00+01:00", "14:00+01:00:N"),
        ("2026-11-20", "2026-11-20:N"),
        ("2026-11-20T09:00:00Z", "2026-11-20t09:00:00z:N"),
        ("2026-11-20T09:00:00+01:00", "2026-11-20t09:00:00+01:00:N"),
        ("2026-11-20T09:00:00.123-0500", "2026-11-20t09:00:00.123-0500:N"),
        ("2026-11-20..2026-11-25", "2026-11-20:N -:. 2026-11-25:N"),
        ("20.11.2026", "20.11.2026:N"),
        ("20/11/2026", "20/11/2026:N"),
        ("24/7", "24/7:N"),
        ("20-nov-2026", "20:n nov:w 2026:n"),
        ("20th of nov", "20th:w of:w nov:w"),
        ("10.20.0.7", "10.20.0.7:a"),
        ("10.20.0.7?", "10.20.0.7:a"),
        ("10.0.0.0/24", "10.0.0.0/24:a"),
        ("10.0.0.300", "10.0.0.300:N"),
        ("10.0.0.0/40", "10.0.0.0:a /:. 40:n"),
        ("10.20.0.*", "10.20.0.*:N"),
        ("10.0.0.1:6443", "10.0.0.1:a 6443:n"),
        ("::1", "::1:a"),
        ("fe80::", "fe80:::a"),
        ("fe80::1%eth0", "fe80::1%eth0:a"),
        ("2001:DB8::5", "2001:db8::5:a"),
        ("2001:db8::/32.", "2001:db8::/32:a"),
        ("fa:16:3e:aa:bb:01", "fa:16:3e:aa:bb:01:m"),
        ("FA-16-3E-AA-BB-01", "fa-16-3e-aa-bb-01:m"),
        ("0011.2233.44ff", "0011.2233.44ff:m"),
        ("fa:16:3e", "fa:16:3e:m"),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301:i"),
        ("3F2504E04F8941D39A0C0305E82C3301", "3f2504e04f8941d39a0c0305e82c3301:i"),
        ("3f2504e0", "3f2504e0:i"),
        ("3f2504e0...", "3f2504e0:i"),
        ("3f2504e0-4f89", "3f2504e0-4f89:i"),
        ("12345678", "12345678:n"),
        ("deadbeef", "deadbeef:w"),
        ("web01", "web01:N"),
        ("web-01", "web-01:N"),
        ("web-01's", "web-01:N"),
        ("web-01?", "web-01:N"),
        ("db-master", "db-master:N"),
        ("my_server", "my_server:N"),
        ("host-3", "host-3:N"),
        ("m1.small", "m1.small:N"),
        ("cmp-03.dc1.example.com.", "cmp-03.dc1.example.com:N"),
        ("web-*", "web-*:N"),
        ("24.11. at", "24.11.:N at:w"),
        ("2025-09", "2025-09:N"),
        ("1.5.", "1.5:n"),
        ("*prod*", "*prod*:N"),
        ("*", "*:."),
        ("bob@example.com", "bob@example.com:N"),
        ("@bob", "bob:w"),
        ("/dev/vdb", "/dev/vdb:N"),
        ("https://k.example.com:5000/v3", "https://k.example.com:5000/v3:N"),
        ("prod/web-01", "prod:w /:. web-01:N"),
        ('"Web 01"', "web 01:q"),
        ("'web 01'", "web 01:q"),
        ("\u201cweb 01\u201d", "web 01:q"),
        ("`web`", "web:q"),
        ("'it's here'", "it's here:q"),
        ('""', ""),
        ('"  "', ""),
    ],
)
def test_what_is_glued_and_what_is_a_name(question: str, kinds: str) -> None:
    expected = [part.rsplit(":", 1) for part in _cut(kinds)]
    assert read(question) == [(word, _SHORT[kind]) for word, kind in expected]


def _cut(kinds: str) -> list[str]:
    parts: list[str] = []
    for part in kinds.split():
        if parts and parts[-1][-2:-1] != ":":
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    return parts


@pytest.mark.parametrize(
    ("question", "known", "words"),
    [
        ("5vms", ("vms",), "5 vms"),
        ("3nics", ("nics",), "3 nics"),
        ("3nics", (), "3nics"),
        ("blue-green", ("blue", "green"), "blue green"),
        ("blue-green", ("blue",), "blue-green"),
        ("top5hosts", ("hosts",), "top 5 hosts"),
        ("l3", ("l3",), "l3"),
    ],
)
def test_words_that_the_caller_knows(question: str, known: tuple[str, ...], words: str) -> None:
    assert " ".join(word for word, _ in read(question, *known)) == words


def test_tokens_keep_what_was_typed_and_where() -> None:
    question = "  Who owns \u201cWeb 01\u201d on Caf\u00e9\u200b-01, isn't it?"
    found = [(token.text, question[token.start : token.end]) for token in tokenise(question)]
    assert found == [
        ("Who", "Who"),
        ("owns", "owns"),
        ("Web 01", "\u201cWeb 01\u201d"),
        ("on", "on"),
        ("Caf\u00e9-01", "Caf\u00e9\u200b-01"),
        (",", ","),
        ("is", "is"),
        ("n't", "n't"),
        ("it", "it"),
    ]


_TYPED = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [*"0123456789abcdef:.-_/'\"`%<>=!+*@ ", "n't", "'s", "8gb", "10.0.0.1", "::", "..", "am", "\u00bd"]
        ),
    ),
    max_size=40,
).map("".join)


@given(st.one_of(st.text(max_size=200), _TYPED))
def test_any_text_gives_words_in_their_places(question: str) -> None:
    tokens = tokenise(question, {"vms"})
    for token in tokens:
        assert 0 <= token.start < token.end <= len(question)
        assert token.word
        assert token.word.isprintable()
        assert token.text.isprintable() or "\ufffd" in token.text or not token.text.isascii()
        assert token.word == token.word.lower()
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)


@given(_TYPED)
def test_words_do_not_overlap(question: str) -> None:
    if not question.isascii():  # one character may fold into several words
        return
    tokens = tokenise(question)
    assert all(before.end <= after.start for before, after in pairwise(tokens))


@pytest.mark.parametrize(
    "piece", ["a-", "1.", "'", '"', "::", "a'b", "9:", "1,234", "n't", "a/", "-1", "%", "..", "f:", "\ufdfa"]
)
def test_long_questions_take_no_long_time(piece: str) -> None:
    began = time.perf_counter()
    tokenise(piece * (2000 // len(piece)))
    assert time.perf_counter() - began < 1.0
