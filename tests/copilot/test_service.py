"""What holds for every question: it is answered, within the asker's rights, and nothing acts on a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copilot.answers import MAX_QUESTION, SURE, Answer, Context, Named, Turn
from copilot.grammar.lexicon import lexicon
from copilot.service import Copilot
from store.estate.reading.models import Scope
from tests.copilot.evaluation import generate, styles
from tests.copilot.evaluation.sources import Fake, opened
from tests.copilot.evaluation.world import Row, key
from tests.copilot.execution.estates import Handed
from tests.store.estate.reading.tables import database, put

SETTINGS = settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
OTHERS = ("server", "volume", "project", "snapshot", "floating_ip")  # types that belong to one project, by name
MINE = "acme-dev"

_WORDS = sorted({" ".join(phrase) for phrase in lexicon().phrases if len(phrase) <= 3})
_NAMES = ("web-01", "db-01", "acme-prod", "acme-dev", "cmp-01", "frontend", "globex", "alice", "m1.small", "debian-12")
_SAID = ("more than", "5", "100 GB", "yesterday", "since monday", "older than 30 days", "per", "and", "or", "not",
         "by", "top", "in", "on", ">", "'web", '"', "10.20.0.7", "?", "the", "of", "as of", "which", "how many",
         "and what about", "only", "them", "this")  # fmt: skip
spoken = st.lists(
    st.one_of(st.sampled_from(_WORDS), st.sampled_from(_NAMES), st.sampled_from(_SAID)), min_size=1, max_size=9
).map(" ".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with opened(generate.world(styles.NORTH), tmp_path_factory.mktemp("north")) as fake:
        yield fake


class OfDomain(Fake):
    """Whose lists hold what belongs to projects of one domain."""

    def _sees(self, row: Row) -> bool:
        return row.get("project_id") in {one["id"] for one in self.world.rows("project") if one["domain"] == "initech"}


@pytest.fixture(scope="module", params=["project", "domain"])
def limited(north: Fake, request: pytest.FixtureRequest) -> Fake:
    """Who may read one project, or one domain."""
    if request.param == "domain":
        domain = north.world.one("domain", lambda row: row["name"] == "initech")
        return OfDomain(north.world, north.estate, north.finder, Scope(domains=(domain["id"],)))
    mine = north.world.one("project", lambda row: row["name"] == MINE)
    return replace(north, scope=Scope(projects=(mine["id"],)))


@pytest.fixture(scope="module")
def secrets(north: Fake, limited: Fake) -> re.Pattern[str]:
    """Names and ids of what belongs to other projects, and to none that the asker may read."""
    if limited.scope.projects:
        mine = set(limited.scope.projects)
    else:
        mine = {row["id"] for row in north.world.rows("project") if row["domain"] == "initech"}
    rows = [version.row for type in OTHERS for version in north.world.versions[type]]
    seen = {name for row in rows if mine & {row["id"], row.get("project_id")} for name in _called(row)}
    # Who owns what is open to all, is told beside it, as in every list of the app.
    seen |= {str(row["project"]) for row in north.world.rows("image") if row["visibility"] == "public"}
    seen |= {str(row["project"]) for row in north.world.rows("network") if row["shared"] or row["external"]}
    hidden = {name for row in rows for name in _called(row)} - seen - {"admin"}  # a role is called so, too
    assert len(hidden) > 200
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, sorted(hidden, key=len, reverse=True)))})(?![\w-])", re.I)


def _called(row: dict[str, object]) -> set[str]:
    return {str(row[field]) for field in ("name", "id", "address") if row.get(field)}


def ask(fake: Fake, question: str, turns: tuple[Turn, ...] = (), selected: tuple[Named, ...] = ()) -> Answer:
    """The answer to one question."""
    return Copilot().ask(question, Context(fake.world.now, fake.world.zone, selected, turns), fake)


def told(answer: Answer) -> str:
    """Everything that an answer shows."""
    rows = [str(value) for row in (answer.table.rows if answer.table else ()) for value in row.values()]
    keys = [key[2] for _, key in (answer.table.keys if answer.table else ())]
    offered = [
        f"{one.label} {one.filter} {one.command} {one.keys} {[value for _, value in one.values]}"
        for one in answer.proposals
    ]
    named = [f"{one.name} {one.project} {one.key[2]}" for one in answer.named]
    parts = (
        answer.text, str(answer.value), answer.understood, *answer.choices, *answer.scope, *answer.unknown, *rows,
        *keys, *offered, *named, *(shown.text for shown in answer.shown),
    )  # fmt: skip
    return "\n".join(parts)


@given(question=st.one_of(spoken, anything))
@SETTINGS
def test_every_text_is_answered_somehow(north: Fake, question: str) -> None:
    if not question.strip():
        with pytest.raises(ValueError, match="question"):
            ask(north, question)
        return
    answer = ask(north, question)
    assert answer.text
    assert 0 <= answer.confidence <= 1
    assert answer.sure == (answer.outcome in ("answer", "proposal") and answer.confidence >= SURE)


@given(questions=st.lists(spoken, min_size=2, max_size=4))
@SETTINGS
def test_every_conversation_is_answered_somehow(north: Fake, questions: list[str]) -> None:
    turns: tuple[Turn, ...] = ()
    for question in questions:
        answer = ask(north, question, turns)
        assert answer.text
        turns = (*turns, Turn(question, answer.frame, answer.query, answer.named, answer.topic))


@given(question=spoken)
@SETTINGS
def test_nothing_of_other_projects_is_told(limited: Fake, secrets: re.Pattern[str], question: str) -> None:
    answer = ask(limited, question)
    typed = question.lower()
    assert not {found for found in secrets.findall(told(answer)) if found.lower() not in typed}


@pytest.mark.parametrize(
    "question",
    ["list vms", "all servers", "volumes", "projects", "top 5 projects by vms", "vms per project", "floating ips",
     "which host has the most vms", "deleted vms since yesterday", "vms as of monday", "jobs", "drift events",
     "problems", "snapshots per volume", "who has access to acme-prod", "what changed yesterday", "largest volume",
     "security groups", "is acme-prod empty", "quota of acme-prod", "which projects have vms in error",
     "status of db-01", "compare acme-prod and acme-dev by vms", "vms on cmp-01", "what is in acme-prod",
     "give me an overview"],
)  # fmt: skip
def test_questions_that_would_tell_of_others(limited: Fake, secrets: re.Pattern[str], question: str) -> None:
    found = secrets.findall(told(ask(limited, question)))
    assert not {name for name in found if name.lower() not in question}


@pytest.mark.parametrize("form", ["status of {}", "is {} running", "where is {}", "volumes of {}", "vms in {}", "{}"])
def test_what_is_hidden_is_answered_like_what_does_not_exist(limited: Fake, form: str) -> None:
    hidden, none = ask(limited, form.format("acme-prod")), ask(limited, form.format("wxyz-qrst"))
    assert (hidden.outcome, hidden.sure, hidden.table and hidden.table.total) == (
        none.outcome, none.sure, none.table and none.table.total,
    )  # fmt: skip


def test_what_is_selected_outside_the_scope_tells_nothing(north: Fake, limited: Fake) -> None:
    row = north.world.one("server", lambda row: row["project"] == "acme-prod" and row["host"] == "cmp-02")
    chosen = (Named("server", key(row), row["name"]),)
    for question in ("status of this vm", "where does this machine run", "its volumes", "ip of this server"):
        answer = ask(limited, question, selected=chosen)
        shown = told(replace(answer, named=(), proposals=()))
        assert str(row["host"]) not in shown
        assert row["fixed"] not in shown and row["flavor"] not in shown


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "x" * (MAX_QUESTION + 1)])
def test_what_is_no_question_is_refused(north: Fake, question: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        ask(north, question)


@pytest.fixture(scope="module")
def hostile() -> Handed:
    """An estate whose names try to act on a terminal."""
    handed = Handed(database(), lists=defaultdict(tuple))
    put(handed.connection, "project", "p1", name="ac\x1b[2Jme\u202eprod", enabled=True)
    put(handed.connection, "hypervisor", "h1", name="cmp\x07-01", state="up", status="enabled")
    for number, name in enumerate(("web\x1b[31m-01", "web\u202e-02", "db\r\n-03\x9b2J", "\x1b]0;title\x07x", "ok-1")):
        put(handed.connection, "server", f"s{number}", name=name, status="ACTIVE", host="cmp\x07-01",
            ram_mb=1024 * number, project_id="p1")  # fmt: skip
    return handed


def _acts(text: str) -> list[str]:
    """Characters that would act on a terminal or turn text around."""
    return [sign for sign in text if sign != "\n" and unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp")]


@pytest.mark.parametrize(
    "question",
    ["list vms", "how many vms", "vms per host", "top 3 vms by ram", "which project has the most vms", "hosts",
     "status of ok-1", "what is ok-1", "vms with web in the name", "largest vm", "projects", "is ok-1 running",
     "are all vms running", "status of web", "vms on cmp", "web", "where is web-01", "stop ok-1"],
)  # fmt: skip
def test_names_do_not_act_on_the_terminal(hostile: Handed, question: str) -> None:
    answer = Copilot().ask(question, Context(datetime(2026, 11, 25, 12, tzinfo=UTC), UTC), hostile)
    said = (answer.text, answer.understood, *answer.choices, *answer.scope, *(one.label for one in answer.proposals))
    assert not _acts("".join(said))


@given(question=anything.map(lambda text: f"vms in {text[:40]}"))
@SETTINGS
def test_what_is_typed_does_not_act_on_the_terminal(hostile: Handed, question: str) -> None:
    answer = Copilot().ask(question, Context(datetime(2026, 11, 25, 12, tzinfo=UTC), UTC), hostile)
    assert not _acts(answer.text + answer.understood + "".join(answer.scope))
