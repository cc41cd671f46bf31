"""Outside sources: lines of logs and notifications, files that grow and are rotated, and what they make known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drift import lines, sources
from engine.drift.requests import Record
from engine.drift.sources import Sources
from engine.settings.models import DriftSource
from tests.engine.drift.place import ADMIN, ALICE, Place, at
from tests.engine.drift.test_asking import who

REQUEST = "req-01234567-89ab-cdef-0123-456789abcdef"
NEUTRON = (
    "2026-11-20 10:15:00.123 12 INFO neutron.wsgi [None " + REQUEST + " u2 p2 - - default default] "
    '10.0.0.9 "PUT /v2.0/subnets/s1 HTTP/1.1" status: 200  len: 703 time: 0.4'
)
APACHE = '10.0.0.9 - - [20/Nov/2026:10:15:00 +0000] "DELETE /networking/v2.0/routers/r1 HTTP/1.1" 204 - "-" "sdk"'
CADF = {
    "event_type": "audit.http.response",
    "payload": {
        "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event", "eventTime": "2026-11-20T10:15:00.000+0000",
        "action": "update/os-stop", "outcome": "success", "requestPath": "/compute/v2.1/servers/m1/action",
        "initiator": {"id": "u2", "name": "ada", "project_id": "p2", "request_id": REQUEST},
    },
}  # fmt: skip
NOTIFIED = {
    "event_type": "subnet.update.end", "timestamp": "2026-11-20 10:15:00.5", "_context_user_id": "u2",
    "_context_project_id": "p2", "_context_request_id": REQUEST, "payload": {"subnet": {"id": "s1"}},
}  # fmt: skip
RETYPED = {"event_type": "volume.retype", "timestamp": "2026-11-20 10:15:00", "payload": {"volume_id": "v1"}}


def told(found: Record | None) -> tuple[Any, ...] | None:
    if found is None:
        return None
    assert found.at.replace(microsecond=0) == datetime(2026, 11, 20, 10, 15)
    request = found.request
    return request.type, request.id, request.verb, request.nova, found.actor, found.source


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (NEUTRON, ("subnet", "s1", "update", "", "u2", "access log")),
        ("Nov 20 10:15:00 ctl neutron: " + NEUTRON, ("subnet", "s1", "update", "", "u2", "access log")),
        (APACHE, ("router", "r1", "delete", "", None, "access log")),
        (CADF, ("server", "m1", "action", "stop", "u2", "notification")),
        (json.dumps(CADF), ("server", "m1", "action", "stop", "u2", "notification")),
        ({"oslo.version": "2.0", "oslo.message": json.dumps(NOTIFIED)},
         ("subnet", "s1", "update", "", "u2", "notification")),
        (RETYPED, ("volume", "v1", "update", "", None, "notification")),
        (NEUTRON.replace("PUT", "GET"), None),
        (NEUTRON.replace("status: 200", "status: 409"), None),
        (NEUTRON.replace("/subnets/s1", "/subnets"), None),
        (NEUTRON[20:], None),
        ({**CADF, "payload": {**CADF["payload"], "outcome": "failure"}}, None),
        ({**NOTIFIED, "event_type": "subnet.update.start"}, None),
        ({**NOTIFIED, "event_type": "subnet.create.end"}, None),
        ({**NOTIFIED, "timestamp": "yesterday"}, None),
        ({"oslo.message": "{"}, None), ({"payload": []}, None), ("{}", None), ('{"', None), ("", None),
    ],
)  # fmt: skip
def test_lines(line: Any, says: tuple[Any, ...] | None) -> None:
    assert told(lines.record("prod", line)) == says


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NOTIFIED, *CADF["payload"], "ctxt", "oslo.message"]), inner, max_size=4)
    ),  # type: ignore[misc]
    max_leaves=10,
)


@given(st.text(max_size=80) | st.dictionaries(st.sampled_from([*NOTIFIED, "payload", "oslo.message"]), _JSON))
def test_any_line_is_read_without_an_error(line: Any) -> None:
    lines.record("prod", line)
    if isinstance(line, str):
        lines.record("prod", NEUTRON[: len(line)] + line)


def source(path: Path) -> Sources:
    return Sources(lambda: [DriftSource(cloud="prod", path=path)], lambda: at(20))


def test_a_file_is_followed_and_rotated(tmp_path: Path) -> None:
    path = tmp_path / "neutron.log"
    followed = source(path)
    assert followed.poll() == [] and "No such file" in followed.problems[path]
    path.write_text(NEUTRON + "\n" + NEUTRON.replace("s1", "s2").replace("0123-", "0124-")[:60])
    assert followed.poll() == [("prod", "s1")] and not followed.problems
    assert followed.poll() == []
    with path.open("a") as file:
        file.write(NEUTRON.replace("s1", "s2").replace("0123-", "0124-")[60:] + "\n")
    assert followed.poll() == [("prod", "s2")], "a line that was written in two parts"
    path.rename(tmp_path / "neutron.log.1")
    path.write_text(NEUTRON.replace("s1", "s3").replace("0123-", "0125-") + "\n")
    assert followed.poll() == [("prod", "s3")]
    assert [one.request.id for one in followed.records("prod", ["s1", "s3"])] == ["s1", "s3"]
    assert followed.records("other", ["s1"]) == []


def test_a_record_is_kept_once_and_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [at(20)]
    kept = Sources(lambda: [], lambda: now[0])
    assert kept.take("prod", [NEUTRON, NEUTRON, NOTIFIED]) == [("prod", "s1")], "a log and a notification of it"
    now[0] += timedelta(hours=26)
    kept.take("prod", [])
    assert kept.records("prod", ["s1"]) == [] and kept.take("prod", [NEUTRON]) == []
    monkeypatch.setattr(sources, "MOST", 2)
    now[0] = datetime(2026, 11, 20, 11, tzinfo=UTC)
    for number in range(4):
        kept.take("prod", [NEUTRON.replace("s1", f"s{number}").replace("0123-", f"000{number}-")])
    assert [one.request.id for one in kept.records("prod", [f"s{n}" for n in range(4)])] == ["s2", "s3"]


SUBNET = {"id": "s1", "name": "blue", "project_id": "p2", "enable_dhcp": True, "gateway_ip": "10.0.0.1"}


def test_a_source_closes_the_gap(place: Place) -> None:
    place.people()
    place.listed("subnet", [SUBNET], 10)
    place.room.sources.take("prod", [NEUTRON])
    place.listed("subnet", [{**SUBNET, "enable_dhcp": False}], 20)
    place.room.asker.work()
    assert who(place) == {"enable_dhcp": ("cloud", "ada", "access log")}


async def test_what_comes_late_is_judged_again(place: Place) -> None:
    place.people()
    place.listed("subnet", [SUBNET], 10)
    place.listed("subnet", [{**SUBNET, "enable_dhcp": False}], 20)
    place.room.asker.work()
    assert who(place) == {"enable_dhcp": ("unknown", None, None)}
    body = {"cloud": "prod", "lines": [NEUTRON, {"payload": 1}]}
    await place.ask("POST", "/q/drift/records", ALICE, 403, body)
    assert await place.ask("POST", "/q/drift/records", ADMIN, 200, body) == {"taken": 1, "passed_over": 1}
    assert who(place) == {"enable_dhcp": ("cloud", "ada", "access log")}


def test_a_service_in_a_log_is_no_person(place: Place) -> None:
    place.people()
    place.listed("subnet", [SUBNET], 10)
    place.room.sources.take("prod", [NEUTRON.replace(" u2 p2 ", " u2 p9 ")])
    place.listed("subnet", [{**SUBNET, "enable_dhcp": False}], 20)
    place.room.asker.work()
    assert who(place) == {"enable_dhcp": ("service", "ada (a service of the cloud)", "access log")}
