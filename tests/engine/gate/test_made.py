"""Operations of several calls that say of each whether it was done, and sentences about all targets of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.gate.models import Call, Context, Target
from tests.engine.gate.fakes import OPS, Room, action, reply, room

PARTS = ("a", "b", "c")


def several(done: set[str], told: list[int] | None = None, seen: list[str] | None = None) -> Any:
    """An action of three calls; `done` are the parts that the cloud has."""

    def calls(ctx: Context, target: Target, options: Mapping[str, Any]) -> list[Call]:
        if seen is not None:
            seen.append(ctx.by)
        return [
            Call(target.cloud, target.region, "compute", "POST", f"/servers/{target.id}/{part}", {part: 1},
                 what=part, key=target.key, type="server", project_id="p1")
            for part in PARTS
        ]  # fmt: skip

    def together(found: Any, options: Mapping[str, Any]) -> list[str]:
        if told is None:
            raise RuntimeError("no answer")
        told.append(len(found))
        return [f"{len(found)} of them together"]

    return replace(
        action("server.stop", {}, "SHUTOFF"), calls=calls, settled=None, together=together,
        already=lambda ctx, target, options: set(PARTS) <= done,
        made=lambda ctx, target, options, call: call.what in done,
    )  # fmt: skip


def sends(east: Room, done: set[str]) -> None:
    def on_send(method: str, path: str, body: Any) -> Any:
        done.add(path.rpartition("/")[2])
        return reply(202, None, "req-1")

    east.cloud.on_send = on_send


@pytest.mark.parametrize("before", [set(), {"a"}, {"b"}, {"c"}, {"a", "c"}, {"a", "b", "c"}])
def test_a_second_attempt_does_only_what_is_missing(tmp_path: Path, before: set[str]) -> None:
    """Whatever the audit knows: an answer that never came may have been yes, and counting would skip the wrong one."""
    done = set(before)
    with room(tmp_path, several(done, [])) as east:
        east.lift()
        sends(east, done)
        east.jobs.held = True
        done.clear()
        job = east.execute(east.plan("server.stop", east.cloud.server("s1")))
        done |= before
        east.audit.record(OPS, "server.stop", "x", {"job": job["id"], "step": 1}, "intent")
        east.jobs.run(job, attempt=2)
        assert job["results"][-1].ok
        assert sorted(path.rpartition("/")[2] for _, path, _ in east.cloud.sent) == sorted(set(PARTS) - before)


def test_the_first_attempt_does_everything_and_knows_for_whom(tmp_path: Path) -> None:
    seen: list[str] = []
    with room(tmp_path, several(set(), [], seen)) as east:
        east.lift()
        east.execute(east.plan("server.stop", east.cloud.server("s1")))
        assert [path.rpartition("/")[2] for _, path, _ in east.cloud.sent] == list(PARTS) and seen == ["ops"]


def test_what_concerns_all_targets_is_told_once(tmp_path: Path) -> None:
    told: list[int] = []
    with room(tmp_path, several(set(), told)) as east:
        east.lift()
        refused = east.cloud.server("s3", refuses="no")
        made = east.plan("server.stop", east.cloud.server("s1"), east.cloud.server("s2"), refused)
        assert told == [2] and "2 of them together" in made["warnings"]


def test_a_look_that_failed_is_told_and_stops_nothing(tmp_path: Path) -> None:
    with room(tmp_path, several(set())) as east:
        east.lift()
        made = east.plan("server.stop", east.cloud.server("s1"))
        assert any("could not be looked at: no answer" in words for words in made["warnings"])
        assert made["items"][0]["ok"]
