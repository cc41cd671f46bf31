"""What holds for all names: found when typed, never seen beyond the scope, never mistaken for another by a typo."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from copilot.language.tokens import tokenise
from copilot.linking import folding
from copilot.linking.linker import Link, link
from store.estate.reading.models import Scope
from tests.copilot.linking.estate import Given

SETTINGS = settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
ESTATE = Given()

WORDS = (
    "web",
    "db",
    "prod",
    "acme",
    "test",
    "list",
    "all",
    "status",
    "error",
    "server",
    "vm",
    "in",
    "01",
    "2",
    "003",
    "10",
)
made = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from("- _.").map(lambda sign: sign.join(words))
)
like = st.sampled_from(
    [
        "10.0.0.5",
        "2026-11-20",
        "16gb",
        "4-8",
        "100",
        "3f2a9c1b",
        "9:30",
        "a1b2c3d4",
        "fe80::1",
        "yesterday",
        "bob's",
        "5vms",
    ]
)
odd = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255)
names = st.one_of(made, like, odd, st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9 ._-]{0,60}[a-zA-Z0-9]", fullmatch=True))


def ask(text: str, question: bool = True) -> Link | None:
    """What is named after the word "vm"."""
    asked = f"vm {text}"
    tokens = tokenise(asked)
    return link(tokens, 1, ESTATE.names(), ("server",), question=asked) if len(tokens) > 1 else None


def can_be_typed(name: str) -> bool:
    """Whether all of it arrives: letters or digits at both ends, and nothing between that ends a word or a quote."""
    plain = all(c.isalnum() or c in " -_." for c in name) and name.isascii()
    return plain and name[0].isalnum() and name[-1].isalnum()


def is_seen(name: str) -> bool:
    """Whether it begins with a letter or digit, has no quotes, and looks as it is."""
    quoted = set("'\"`") & set(unicodedata.normalize("NFKC", name))
    return name[0].isalnum() and folding.bare(name).isalnum() and not quoted and name.isprintable()


@SETTINGS
@given(st.lists(names, min_size=1, max_size=8, unique=True), st.data())
def test_a_name_in_quotes_is_found(given: list[str], data: st.DataObject) -> None:
    ESTATE.clear()
    name = data.draw(st.sampled_from(given))
    assume(folding.strict(name) and '"' not in folding.strict(name) and folding.bare(name))
    ESTATE.put_servers(given)
    found = [one.name for one in ESTATE.names().exact(name, ("server",))]
    assert name in found
    assert {folding.strict(one) for one in found} == {folding.strict(name)}


@SETTINGS
@given(st.lists(names.filter(is_seen), min_size=1, max_size=8, unique=True), st.data())
def test_a_name_after_its_types_word_is_found(given: list[str], data: st.DataObject) -> None:
    ESTATE.clear()
    name = data.draw(st.sampled_from(given))
    ESTATE.put_servers(given)
    found = ask(name)
    assert found is not None
    assert name in [one.name for one in found.named]
    assert found.exact


def everything(text: str) -> tuple[Any, ...]:
    """All that a text leads to."""
    names = ESTATE.names()
    types = ("server",)
    return ask(text), names.near(text, types), names.ids(text[:8], types), names.numbered(1, "server")


@SETTINGS
@given(st.lists(names, min_size=2, max_size=8, unique=True), st.data())
def test_what_is_beyond_the_scope_does_not_exist(given: list[str], data: st.DataObject) -> None:
    mine = data.draw(st.sets(st.sampled_from(given), max_size=len(given) - 1))
    text = data.draw(st.sampled_from(given))
    text = data.draw(st.sampled_from([text, text[1:], text[:4], f"{text}x"]))
    ESTATE.scope = Scope(projects=("mine",))
    try:
        ESTATE.clear()
        ESTATE.put_servers([one for one in given if one in mine], "mine")
        alone = everything(text)
        ESTATE.put_servers([one for one in given if one not in mine], "other")
        among = everything(text)
    finally:
        ESTATE.scope = Scope()
    assert among == alone


letters = st.sampled_from("abcdefghijklmnopqrstuvwxyzABC0123456789-_. é")


@st.composite
def typos(draw: st.DrawFn, name: str) -> str:
    """The name with one letter too many, too few or another one, or two the wrong way round."""
    place = draw(st.integers(0, len(name) - 1))
    before, at, after = name[:place], name[place], name[place + 1 :]
    kind = draw(st.sampled_from(["more", "less", "other", "swapped"]))
    if kind == "more":
        return before + draw(letters) + at + after
    if kind == "less":
        return before + after
    if kind == "other":
        return before + draw(letters) + after
    return before + after[:1] + at + after[1:]


long = names.filter(lambda name: can_be_typed(name) and sum(c.isalpha() for c in name) >= 6)


@settings(SETTINGS, max_examples=120)
@given(st.lists(long, min_size=1, max_size=12, unique_by=folding.tight), st.data())
def test_a_typo_never_finds_another_one_alone(given: list[str], data: st.DataObject) -> None:
    """But for a text that is another one's name, or is but for the signs and zeros in it."""
    ESTATE.clear()
    name = data.draw(st.sampled_from(given))
    typed = data.draw(typos(name)).strip()
    near = data.draw(st.lists(typos(name).filter(lambda one: can_be_typed(one + "a")), max_size=4))
    others = [one for one in (*given, *near) if folding.tight(one) != folding.tight(name)]
    assume(typed and folding.tight(typed) not in map(folding.tight, others))
    # What begins with another one's whole name may be read as that one, with a word behind it.
    assume(not any(folding.tight(typed).startswith(folding.tight(one)) for one in others))
    ESTATE.put_servers({name, *others})
    found = ask(typed)
    if found is not None:
        assert name in [one.name for one in found.named]
