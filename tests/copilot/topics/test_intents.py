"""Documented names of questions that are one query."""

from __future__ import annotations

import pytest

from copilot.grammar.frames import Form, Frame, Piece
from copilot.query import Condition, Not, Test
from copilot.topics.intents import intent_of

ACME = Piece("scope:project", Test("project_name", "=", ("acme",)), "in project acme")
CMP3 = Piece("scope:hypervisor", Test("host", "=", ("cmp-03",)), "on host cmp-03")


def state(*values: str, column: str = "status") -> Piece:
    """A piece that wants one of these."""
    return Piece(f"column:{column}", Test(column, "=", values), " or ".join(values))


def other(condition: Condition) -> Piece:
    """A piece of its own."""
    return Piece("state:other", condition, "other")


@pytest.mark.parametrize(
    ("entity", "form", "pieces", "name"),
    [
        ("server", "count", (), "count_vms"),
        ("server", "count", (ACME,), "count_vms"),
        ("server", "list", (), "list_vms"),
        ("server", "list", (ACME,), "vms_on_tenant"),
        ("server", "list", (CMP3,), "vms_on_host"),
        ("server", "list", (ACME, CMP3), "list_vms"),
        ("server", "count", (state("ACTIVE"),), "powered_on_vms"),
        ("server", "list", (state("ACTIVE"), ACME), "list_powered_on_vms"),
        ("server", "count", (state("SHUTOFF"), ACME), "powered_off_vms"),
        ("server", "list", (state("SHUTOFF"),), "list_powered_off_vms"),
        ("server", "list", (state("ERROR"),), "error_vms"),
        ("server", "count", (state("ERROR", "SHUTOFF", "SUSPENDED", "PAUSED"),), "error_vms"),
        ("server", "list", (state("RESCUE"),), "query"),
        ("server", "list", (other(Test("vcpus", ">", (4,))),), "query"),
        ("server", "value", (ACME,), "query"),
        ("hypervisor", "count", (), "count_hosts"),
        ("hypervisor", "list", (), "list_hosts"),
        ("hypervisor", "list", (other(Not(Test("state", "=", ("up",)))),), "down_hosts"),
        ("hypervisor", "list", (state("disabled"),), "down_hosts"),
        ("hypervisor", "list", (state("up", column="state"),), "query"),
        ("volume", "list", (), "list_volumes"),
        ("volume", "count", (ACME,), "count_volumes"),
        ("volume", "list", (state("in-use"),), "query"),
        ("snapshot", "count", (), "snapshot_summary"),
        ("port", "list", (), "query"),
        ("drift_event", "list", (state("critical"),), "drift_summary"),
        ("login", "list", (), "recent_logins"),
    ],
)
def test_names(entity: str, form: Form, pieces: tuple[Piece, ...], name: str) -> None:
    assert intent_of(Frame(entity, form, pieces)) == name


def test_newest_snapshots_are_the_recent_ones() -> None:
    assert intent_of(Frame("snapshot", order=(("created_at", True),), limit=10)) == "recent_snapshots"


def test_groups_have_no_documented_name() -> None:
    assert intent_of(Frame("server", "count", group=("project_name",))) == "query"
