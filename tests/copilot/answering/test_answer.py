"""Sentences: what an operator reads, from queries that really ran."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from copilot.answering.answer import answer
from copilot.answering.phrases import Said
from copilot.answers import Answer, Named
from copilot.execution.run import run
from copilot.model.registry import entity
from copilot.query import Counted, Measure, Not, Query, Related, Test
from tests.copilot.execution.estates import NOW, Handed
from tests.store.estate.reading.tables import T0, database, put

STOPPED = Test("status", "=", ("SHUTOFF",))
IN_ACME = Test("project_name", "=", ("acme-prod",))
ACME = ("in project acme-prod",)
NOBODY = Test("name", "=", ("nobody",))


@pytest.fixture(scope="module")
def handed() -> Handed:
    connection = database()
    put(connection, "project", "p1", name="acme-prod")
    put(connection, "project", "p2", name="beta")
    for number in range(7):
        put(
            connection,
            "server",
            f"s{number}",
            name=f"web-0{number}",
            status="SHUTOFF" if number < 2 else "ACTIVE",
            project_id="p1" if number != 6 else "p2",
            vcpus=number + 1,
            ram_mb=2048 * (number + 1),
            host="cmp-11" if number else None,
            locked=False,
            addresses=["10.0.0.1", "10.0.0.2"],
            created_at=T0 + timedelta(days=number),
        )
    put(connection, "server", "gone", name="old-01", valid_to=T0 + timedelta(days=20))
    put(connection, "server", "evil", name="x\x1b[31m\u202ey\n" + "z" * 200, status="PAUSED")
    put(connection, "volume", "v1", name="data", size_gb=1229, server_ids=["s1"])
    put(connection, "volume", "v2", name="", size_gb=500, server_ids=["s1", "s2"])
    return Handed(connection)


def said(handed: Handed, query: Query, **words: Any) -> Answer:
    return answer(query, run(query, handed, NOW), said=Said(**words), now=NOW)


def of(name: str) -> Test:
    return Test("name", "=", (name,))


WEB = Named("server", ("c", "r", "s1"), "web-01")
COUNT, SHARE = Measure("count"), Measure("share", of=STOPPED)
LOOKUP = {"form": "lookup"}
SENTENCES: list[tuple[Query, dict[str, Any], str]] = [
    (Query("server", IN_ACME, COUNT), {"limits": ACME}, "There are 6 servers in project acme-prod."),
    (Query("server", of("web-01"), COUNT), {"limits": ("stopped",)}, "There is 1 stopped server."),
    (Query("server", NOBODY, COUNT), {"limits": ("in error", "older than 30 days")},
     "None: there are no servers in error older than 30 days."),
    (Query("server", IN_ACME, COUNT, at=NOW - timedelta(days=1)), {}, "There were 6 servers."),
    (Query("server", IN_ACME), {"limits": ACME},
     "There are 6 servers in project acme-prod: web-00, web-01, web-02, web-03, web-04 and 1 more."),
    (Query("server", STOPPED), {"limits": ("not protected",)},
     "There are 2 servers that are not protected: web-00 and web-01."),
    (Query("server", NOBODY), {"limits": ACME}, "None: there are no servers in project acme-prod."),
    (Query("server", gone=(None, None)), {}, "1 server vanished: old-01 (4 days ago)."),
    (Query("server", of("old-02"), gone=(None, None)), {"limits": ACME},
     "None: no servers in project acme-prod vanished."),
    (Query("server", IN_ACME, SHARE), {"form": "share", "limits": ACME, "asked": ("stopped",)},
     "2 of 6 servers in project acme-prod are stopped (33.3%)."),
    (Query("server", STOPPED, SHARE), {"form": "share", "asked": ("stopped",)}, "All 2 servers are stopped (100%)."),
    (Query("server", of("web-01"), SHARE), {"form": "share", "asked": ("stopped",)},
     "The only server is stopped (100%)."),
    (Query("server", Not(STOPPED), SHARE), {"form": "share", "asked": ("stopped",)}, "None of 6 servers is stopped."),
    (Query("server", NOBODY, SHARE), {"form": "share", "asked": ("stopped",)}, "None: there are no servers."),
    (Query("server", IN_ACME, Measure("share", of=Related("volume"))), {"form": "share", "asked": ("with a volume",)},
     "2 of 6 servers have a volume (33.3%)."),
    (Query("server", IN_ACME, Measure("sum", "ram_mb")), {"limits": ACME},
     "The total RAM of 6 servers in project acme-prod is 42 GB."),
    (Query("server", IN_ACME, Measure("average", "vcpus")), {}, "The average number of vCPUs of 6 servers is 3.5."),
    (Query("volume", measure=Measure("sum", "size_gb")), {}, "The total size of 2 volumes is 1.7 TB."),
    (Query("volume", measure=Measure("maximum", "size_gb")), {}, "The highest size among 2 volumes is 1.2 TB."),
    (Query("server", of("old-01"), Measure("sum", "ram_mb")), {}, "None: there are no servers."),
    (Query("server", STOPPED, Measure("exists")), {"limits": ("stopped",)},
     "Yes: there are 2 stopped servers: web-00 and web-01."),
    (Query("server", NOBODY, Measure("exists")), {"limits": ("stopped",)}, "No: there are no stopped servers."),
    (Query("server", of("web-01")), {"form": "yes_no", "asked": ("stopped",), "subject": (WEB,)},
     "Yes: web-01 is stopped."),
    (Query("server", NOBODY), {"form": "yes_no", "asked": ("stopped",), "subject": (WEB,)},
     "No: web-01 is not stopped."),
    (Query("server", STOPPED), {"form": "yes_no", "limits": ACME, "asked": ("stopped",)},
     "Yes: 2 servers in project acme-prod are stopped: web-00 and web-01."),
    (Query("server", NOBODY), {"form": "yes_no", "limits": ACME, "asked": ("stopped",)},
     "No: no server in project acme-prod is stopped."),
    (Query("server", NOBODY), {"form": "every", "asked": ("running",), "whole": 7}, "Yes: all 7 servers are running."),
    (Query("server", STOPPED), {"form": "every", "asked": ("running",), "whole": 7},
     "No: 2 of 7 servers are not running: web-00 and web-01."),
    (Query("server", of("web-01"), columns=("host",)), LOOKUP, "web-01 runs on cmp-11."),
    (Query("server", of("web-00"), columns=("host",)), LOOKUP, "web-00 is on no host."),
    (Query("server", of("web-01"), columns=("ram_mb",)), LOOKUP, "The RAM of web-01 is 4 GB."),
    (Query("server", of("web-01"), columns=("vcpus",)), LOOKUP, "web-01 has 2 vCPUs."),
    (Query("server", of("web-01"), columns=("project_name",)), LOOKUP, "web-01 belongs to project acme-prod."),
    (Query("server", of("web-01"), columns=("created_at",)), LOOKUP,
     "web-01 was created 23 days ago (2 Nov 2026 00:00 UTC)."),
    (Query("server", of("web-01"), columns=("locked",)), LOOKUP, "web-01 is not locked."),
    (Query("server", of("web-01"), columns=("fault",)), LOOKUP, "web-01 has no fault."),
    (Query("server", of("web-01"), columns=("addresses",)), LOOKUP,
     "The addresses of web-01 are 10.0.0.1 and 10.0.0.2."),
    (Query("server", of("web-01"), columns=("host", "vcpus")), LOOKUP, "web-01: host cmp-11, vCPUs 2."),
    (Query("server", STOPPED, columns=("host",)), LOOKUP, "web-00: none; web-01: cmp-11."),
    (Query("volume", order=(("size_gb", True),), limit=1), {}, "data is the largest of 2 volumes: 1.2 TB."),
    (Query("volume", order=(("size_gb", True),), limit=5), {},
     "2 volumes by size: data (1.2 TB) and v2 (500 GB)."),
    (Query("server", IN_ACME, order=(("ram_mb", True),), limit=2), {},
     "The 2 of 6 servers with the most RAM: web-05 (12 GB) and web-04 (10 GB)."),
    (Query("server", IN_ACME, order=(("created_at", False),), limit=1), {"limits": ACME},
     "web-00 is the oldest of 6 servers in project acme-prod: 24 days ago."),
    (Query("server", IN_ACME, order=(("created_at", True),), limit=2), {},
     "The 2 newest of 6 servers: web-05 (19 days ago) and web-04 (20 days ago)."),
    (Query("project", counted=(Counted("n", "server"),), order=(("n", True),), limit=1), {},
     "acme-prod has the most servers of 2 projects: 6."),
    (Query("server", measure=COUNT, group=("status",)), {}, "8 servers by status: ACTIVE 5, SHUTOFF 2 and PAUSED 1."),
    (Query("server", measure=COUNT, group=("project_name",), limit=1), {}, "acme-prod has the most servers: 6."),
    (Query("server", measure=COUNT, group=("project_name",), limit=2), {"limits": ("big",)},
     "Big servers by project: acme-prod 6, beta 1 and 1 more."),
    (Query("server", measure=Measure("sum", "ram_mb"), group=("project_name",)), {},
     "Total RAM of servers by project: acme-prod 42 GB, beta 14 GB and none unknown."),
    (Query("server", NOBODY, COUNT, group=("status",)), {}, "None: there are no servers."),
]  # fmt: skip


@pytest.mark.parametrize(("query", "words", "sentence"), SENTENCES, ids=lambda value: str(value)[:60])
def test_sentences(handed: Handed, query: Query, words: dict[str, Any], sentence: str) -> None:
    assert said(handed, query, **words).text == sentence


def test_names_do_nothing_to_a_screen(handed: Handed) -> None:
    text = said(handed, Query("server", Test("status", "=", ("PAUSED",)))).text
    assert text.isprintable() or "\N{REPLACEMENT CHARACTER}" in text
    assert not any(character in text for character in "\x1b\u202e\n")
    assert len(text) < 120


VALUES: list[tuple[Query, str, Any, str]] = [
    (Query("server", IN_ACME, COUNT), "count", 6, ""),
    (Query("server", IN_ACME, SHARE), "share", 33.3, "%"),
    (Query("server", IN_ACME, Measure("sum", "ram_mb")), "value", 43008, "MB"),
    (Query("volume", measure=Measure("sum", "size_gb")), "value", 1729, "GB"),
    (Query("server", of("web-01"), columns=("ram_mb",)), "lookup", 4096, "MB"),
    (Query("server", of("web-01"), columns=("host",)), "lookup", "cmp-11", ""),
    (Query("server", STOPPED), "yes_no", True, ""),
    (Query("server", STOPPED), "every", False, ""),
    (Query("server", STOPPED), "list", None, ""),
]


@pytest.mark.parametrize(("query", "form", "value", "unit"), VALUES, ids=str)
def test_the_value_is_what_the_text_states(handed: Handed, query: Query, form: str, value: Any, unit: str) -> None:
    found = said(handed, query, form=form)
    assert (found.value, found.unit) == (value, unit)


def test_an_answer_shows_its_rows_and_its_query(handed: Handed) -> None:
    found = said(handed, Query("server", STOPPED, limit=1))
    assert found.table is not None
    assert (found.table.total, found.table.keys) == (2, (("server", ("c", "r", "s0")),))
    assert found.shown[0].kind == "sql"
    assert found.shown[0].text.startswith("SELECT name, status")
    assert handed.connection.execute(found.shown[0].text).fetchall()


def test_every_column_can_be_said(handed: Handed) -> None:
    """No attribute breaks a sentence, known or not."""
    for column in entity("server").attributes:
        text = said(handed, Query("server", of("web-01"), columns=(column,)), form="lookup").text
        assert text.endswith(".")
        assert "{" not in text
