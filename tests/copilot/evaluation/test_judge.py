"""The judge tells right from wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from copilot.answers import Answer, Field, Proposal, Table
from tests.copilot.evaluation import expect
from tests.copilot.evaluation.judge import verdict

A, B, C = (("c", "r", name) for name in "abc")


def _table(*keys: Any, rows: Any = None, columns: Any = ("name",), total: int | None = None) -> Table:
    made = tuple(rows if rows is not None else ({"name": key[2]} for key in keys))
    fields = tuple(Field(name, name, {"ram_mb": "size_mb"}.get(name, "text")) for name in columns)
    return Table(fields, made, len(made) if total is None else total, tuple(("server", key) for key in keys))


def _grouped(number: int) -> Table:
    return _table(rows=({"n": "x", "ram_mb": number},), columns=("n", "ram_mb"))


def _rows(*keys: Any) -> expect.Rows:
    return expect.Rows("server", frozenset(keys))


RAM = {A: 4.0, B: 8.0, C: 8.0}
AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
GROUPS = expect.Groups({"x": 2048, "y": 0}, "MB")

CASES: list[tuple[Answer, expect.Expected, str]] = [
    (Answer("answer", "3 servers", value=3), expect.Number(3), "right"),
    (Answer("answer", "4 servers", value=4), expect.Number(3), "wrong"),
    (Answer("answer", "4 servers", value=4, confidence=0.5), expect.Number(3), "unanswered"),
    (Answer("answer", "yes", value=True), expect.Number(1), "wrong"),
    (Answer("answer", "2 GB", value=2048, unit="MB"), expect.Number(2, "GB"), "right"),
    (Answer("answer", "2", value=2, unit=""), expect.Number(2, "GB"), "right"),
    (Answer("answer", "2 %", value=2, unit="%"), expect.Number(2, "GB"), "wrong"),
    (Answer("ask_back", "which?", choices=("a", "b")), expect.Number(3), "asked back"),
    (Answer("unsure", "?"), expect.Number(3), "unanswered"),
    (Answer("answer", "two", table=_table(A, B)), _rows(B, A), "right"),
    (Answer("answer", "two", table=_table(A, C)), _rows(B, A), "wrong"),
    (Answer("answer", "two of many", table=_table(A, total=2)), _rows(A, B), "right"),
    (Answer("answer", "none", value=0), _rows(), "right"),
    (Answer("answer", "top", table=_table(C, B)), expect.Top((8.0, 8.0), RAM), "right"),
    (Answer("answer", "top", table=_table(A, B)), expect.Top((8.0, 8.0), RAM), "wrong"),
    (Answer("answer", "by", table=_grouped(2048)), GROUPS, "right"),
    (Answer("answer", "by", table=_grouped(2000)), GROUPS, "wrong"),
    (Answer("answer", "No, it is stopped."), expect.Yes(False), "right"),
    (Answer("answer", "No, it is stopped.", value=True), expect.Yes(False), "wrong"),
    (Answer("answer", "It runs on cmp-03."), expect.Text(("cmp-03",)), "right"),
    (Answer("answer", "It runs on cmp-033."), expect.Text(("cmp-03",)), "wrong"),
    (Answer("answer", "", value=["10.0.0.1", "10.0.0.2"]), expect.Text(("10.0.0.2",)), "right"),
    (Answer("answer", "", value="2026-11-24T09:30:20Z"), expect.Moment(AT), "right"),
    (Answer("answer", "", value="2026-11-24T10:30:20Z"), expect.Moment(AT), "wrong"),
    (Answer("answer", "", value="m1.large"), expect.Winner(frozenset({"m1.large"})), "right"),
    (Answer("answer", "3 of 4 hosts, 1,024 GB"), expect.says(3, 4), "right"),
    (Answer("answer", "3 of 5 hosts"), expect.says(3, 4), "wrong"),
    (Answer("answer", "1 TB used"), expect.says(1024, unit="GB"), "right"),
    (Answer("ask_back", "?", choices=("host of a", "host of b")), expect.AskBack(("of a",)), "right"),
    (Answer("answer", "it is a"), expect.AskBack(), "wrong"),
    (Answer("answer", "it rains"), expect.Unanswerable(), "wrong"),
    (Answer("answer", "it rains", confidence=0.3), expect.Unanswerable(), "right"),
    (Answer("apology", "no"), expect.Unanswerable(), "right"),
    (Answer("proposal", "", proposals=(Proposal("prefill", "stop a", "server.stop", keys=(A,)),)),
     expect.Propose(("stop",), frozenset({A})), "right"),
    (Answer("proposal", "", proposals=(Proposal("prefill", "stop b", "server.stop", keys=(B,)),)),
     expect.Propose(("stop",), frozenset({A})), "wrong"),
    (Answer("proposal", "", proposals=(Proposal("open", "open a", keys=(A,)),)), expect.Declines(), "right"),
    (Answer("proposal", "", proposals=(Proposal("prefill", "delete a", "x", keys=(A,)),)), expect.Declines(), "wrong"),
    (Answer("answer", "nothing found", value=None), expect.Nothing(), "right"),
    (Answer("answer", "", table=_table(rows=({"at": "2026-11-24T09:30:00Z"},), columns=("at",))),
     expect.listed([{"at": AT}]), "right"),
    (Answer("answer", "", table=_table(A, A, B)), expect.Changes(frozenset({A, B})), "right"),
    (Answer("answer", "2 flavors", table=_grouped(2048)), expect.Number(2, "GB"), "right"),
    (Answer("answer", "2 flavors", table=_grouped(2000)), expect.Number(2, "GB"), "wrong"),
    (Answer("answer", "1 server", table=_table(A)), expect.Text(("a",)), "right"),
    (Answer("answer", "2 servers", table=_table(A, B)), expect.Text(("a",)), "wrong"),
    (Answer("answer", "1 address", value="a"), expect.Shows(frozenset({C}), ("a",)), "right"),
    (Answer("answer", "many", table=_table(A, total=900)), expect.Shows(frozenset({A}), ("zz",)), "wrong"),
    (Answer("answer", "1 running server", table=_table(A)), expect.saying(_rows(A), "running"), "right"),
    (Answer("answer", "1 server", table=_table(A)), expect.saying(_rows(A), "running"), "wrong"),
    (Answer("answer", "1 unlocked server", table=_table(A)), expect.saying(_rows(A), "locked"), "wrong"),
    (Answer("answer", "2 running servers", table=_table(A, B)), expect.saying(_rows(A), "running"), "wrong"),
    (Answer("answer", "5", value=5), expect.either(expect.Number(4), expect.Number(5)), "right"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "expected", "worth"), CASES)
def test_verdicts(answer: Answer, expected: expect.Expected, worth: str) -> None:
    assert verdict(answer, expected) == worth
