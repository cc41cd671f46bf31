from __future__ import annotations

import pytest

from copilot.language.tokens import tokenise
from copilot.linking.linker import Link, link
from tests.copilot.linking.estate import Given


@pytest.fixture(scope="module")
def given() -> Given:
    given = Given()
    acme = given.put("project", "acme-prod")
    given.put("project", "acme-test")
    test = given.put("project", "test")
    given.put("project", "Ünïcode Projekt")
    for host in ("cmp-001", "cmp-002", "cmp-003", "cmp-013.rack.example"):
        given.put("hypervisor", host)
    given.put("server", "web-01", project_id=acme)
    given.put("server", "web-02", project_id=acme)
    given.put("server", "db-primary", project_id=acme)
    given.put("server", "web", project_id=test)
    given.put("server", "list")
    given.put("server", "old build box")
    given.put("server", "twin", project_id=acme)
    given.put("server", "twin", project_id=test)
    given.put("floating_ip", "203.0.113.7", project_id=acme)
    given.put("subnet", "inner", cidr="10.0.0.0/24")
    given.put("flavor", "m1.small")
    return given


def found(given: Given, text: str, types: tuple[str, ...] = (), start: int = 0) -> Link | None:
    return link(tokenise(text), start, given.names(), types, question=text)


EXACT = [
    ("web-01", (), ["web-01"], 1),
    ("WEB-01", (), ["web-01"], 1),
    ("acme prod now", ("project",), ["acme-prod"], 2),
    ("acme_prod", ("project",), ["acme-prod"], 1),
    ("test", ("project",), ["test"], 1),
    ("web", ("server",), ["web"], 1),
    ("list", ("server",), ["list"], 1),
    ("old build box please", ("server",), ["old build box"], 3),
    ('"old build box"', (), ["old build box"], 1),
    ('"web"', (), ["web"], 1),
    ("unicode projekt", ("project",), ["Ünïcode Projekt"], 2),
    ("cmp-013", ("hypervisor",), ["cmp-013.rack.example"], 1),
    ("203.0.113.7", (), ["203.0.113.7"], 1),
    ("10.0.0.0/24", ("subnet",), ["inner"], 1),
    ("m1.small", (), ["m1.small"], 1),
    ("web-01's", ("server",), ["web-01"], 1),
]


@pytest.mark.parametrize(("text", "types", "expected", "eaten"), EXACT)
def test_whole_names(given: Given, text: str, types: tuple[str, ...], expected: list[str], eaten: int) -> None:
    link = found(given, text, types)
    assert link is not None
    assert ([one.name for one in link.named], link.eaten, link.exact) == (expected, eaten, True)
    assert not link.ambiguous


GUESSED = [
    ("acmeprod", ("project",), ["acme-prod"], 1),
    ("acme prdo", ("project",), ["acme-prod"], 2),
    ("acme-prdo", (), ["acme-prod"], 1),
    ("cmp-3", ("hypervisor",), ["cmp-003"], 1),
    ("cmp3", ("hypervisor",), ["cmp-003"], 1),
    ("3", ("hypervisor",), ["cmp-003"], 1),
    ("13", ("hypervisor",), ["cmp-013.rack.example"], 1),
    ("primary", ("server",), ["db-primary"], 1),
    ("db-primray", (), ["db-primary"], 1),
]


@pytest.mark.parametrize(("text", "types", "expected", "eaten"), GUESSED)
def test_names_that_are_guessed(
    given: Given, text: str, types: tuple[str, ...], expected: list[str], eaten: int
) -> None:
    link = found(given, text, types)
    assert link is not None
    assert ([one.name for one in link.named], link.eaten, link.exact) == (expected, eaten, False)
    assert not link.ambiguous


AMBIGUOUS = [
    ("twin", ("server",), ["twin", "twin"]),
    ("acme", ("project",), ["acme-prod", "acme-test"]),
]


@pytest.mark.parametrize(("text", "types", "expected"), AMBIGUOUS)
def test_what_may_be_several(given: Given, text: str, types: tuple[str, ...], expected: list[str]) -> None:
    link = found(given, text, types)
    assert link is not None
    assert link.ambiguous
    assert sorted(one.name for one in link.named) == expected


NOTHING = [
    ("web", ()),
    ("test", ()),
    ("show", ("project",)),
    ("web-03", ("server",)),
    ("cmp-004", ("hypervisor",)),
    ("7", ("hypervisor",)),
    ("powered-off", ()),
    ("203.0.113.8", ("floating_ip",)),
    ("error", ("project",)),
]


@pytest.mark.parametrize(("text", "types"), NOTHING)
def test_what_names_nothing(given: Given, text: str, types: tuple[str, ...]) -> None:
    assert found(given, text, types) is None


def test_the_choices_are_told_apart(given: Given) -> None:
    link = found(given, "twin", ("server",))
    assert link is not None
    assert given.names().told_apart(link.named) == ["twin in project acme-prod", "twin in project test"]


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("3f2a", ("server",), ["cut"]),
        ("3f2a9c1b", (), ["cut"]),
        ("9c1b-0000", ("server",), ["cut"]),
        ("12345678", ("server",), ["digits"]),
        ("3f2a9c1b-0000-4000-8000-00000000aaaa", (), ["cut"]),
        ("9c1b", ("server",), None),  # not at the beginning, and too short to be sure
        ("db01", ("server",), None),  # the beginning of an id too, but meant as a name
        ("3f2a", (), None),
    ],
)
def test_pieces_of_ids(text: str, types: tuple[str, ...], expected: list[str] | None) -> None:
    given = Given()
    given.put("server", "cut", id="3f2a9c1b-0000-4000-8000-00000000aaaa")
    given.put("server", "other", id="db01aaaa-0000-4000-8000-00000000bbbb")
    given.put("server", "digits", id="12345678-0000-4000-8000-00000000cccc")
    link = found(given, text, types)
    assert (None if link is None else [one.name for one in link.named]) == expected


@pytest.mark.parametrize("text", ["vm 5 days", "vm 5 % full", "vm 5 gb"])
def test_a_quantity_is_no_number_of_a_name(text: str) -> None:
    given = Given()
    given.put("server", "web-5")
    given.put("server", "5")
    assert found(given, text, ("server",), 1) is None
    assert found(given, "vm 5", ("server",), 1) is not None


def test_words_that_the_grammar_knows_are_no_parts_and_no_typos() -> None:
    given = Given()
    given.put("project", "quotation")
    given.put("project", "sizing-lab")
    assert found(given, "quotatoin", ("project",)) is not None
    assert found(given, "sizing", ("project",)) is not None
    for text in ("quotatoin", "sizing"):
        assert link(tokenise(text), 0, given.names(), ("project",), known={text}) is None


def test_a_name_and_a_word_that_nearly_make_another_name_are_asked_back() -> None:
    given = Given()
    given.put("project", "acme")
    given.put("project", "acme-prod")
    link = found(given, "acme prdo", ("project",))
    assert link is not None
    assert ([one.name for one in link.named], link.ambiguous, link.eaten) == (["acme-prod", "acme"], True, 2)
    link = found(given, "acme servers", ("project",))
    assert link is not None
    assert ([one.name for one in link.named], link.ambiguous, link.eaten) == (["acme"], False, 1)


@pytest.mark.parametrize(
    "name", ["a, b", "bob's", "web (old)", "x=y", "10% off", "isn't it", "10.0.0.5", "!odd!", "a..b"]
)
def test_signs_that_are_no_tokens(name: str) -> None:
    given = Given()
    given.put("server", name)
    given.put("server", name.replace(",", ""))
    link = found(given, f"vm {name}", ("server",), 1)
    assert link is not None
    assert name in [one.name for one in link.named]
    assert link.exact


def test_names_in_a_row_are_not_one_name() -> None:
    given = Given()
    for name in ("acme-prod", "acme", "prod"):
        given.put("project", name)
    link = found(given, "acme, prod", ("project",))
    assert link is not None
    assert [one.name for one in link.named] == ["acme"]
