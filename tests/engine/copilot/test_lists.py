"""The rooms' lists as the copilot reads them: exactly the declared columns, and nobody sees more than his part."""

from datetime import datetime
from typing import Any

import pytest

from copilot.model.declaration import Attribute
from copilot.model.rooms import ENTITIES, PERMISSIONS, subject
from copilot.sources import NotAllowed
from engine.access import rules
from engine.access.models import Caller
from engine.copilot import lists
from engine.settings.roles import ROLES
from tests.engine.api.furniture import ADMIN
from tests.engine.copilot.house import LABS, OTHER_CLOUD, VIEWER, WEB_1, House

EVERY = pytest.mark.parametrize("entity", ENTITIES)


def fits(value: Any, attribute: Attribute) -> bool:
    """Whether a value is of its column's kind."""
    if value is None:
        return not attribute.is_list
    if attribute.is_list:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if attribute.role == "time":
        return isinstance(value, datetime) and value.tzinfo is not None
    if attribute.role == "bool":
        return isinstance(value, bool)
    if attribute.is_number:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def test_there_is_a_reader_for_every_list() -> None:
    assert set(lists.LISTS) == set(ENTITIES)
    for permission in PERMISSIONS.values():
        rules.check_permission(permission)


@EVERY
def test_rows_have_exactly_the_declared_columns(full: House, entity: str) -> None:
    rows = full.sources().rows(entity)
    assert rows, "the house has something in every list"
    declared = ENTITIES[entity].attributes
    for row in rows:
        assert set(row) == set(declared)
        wrong = {name: value for name, value in row.items() if not fits(value, declared[name])}
        assert not wrong
        subject(entity, row)
    assert all(any(row[name] is not None for row in rows) for name in (ENTITIES[entity].name_column,))


@EVERY
def test_a_limited_role_sees_only_its_own(full: House, entity: str) -> None:
    rows = full.sources(LABS).rows(entity)
    assert len(rows) <= len(full.sources().rows(entity))
    for row in rows:
        assert row.get("project_id") in (None, "p2")
        assert "acme" not in repr(row) and "vm of p1" not in repr(row)


@pytest.mark.parametrize(
    ("entity", "number"),
    [("drift_event", 2), ("compliance", 1), ("restore", 1), ("kept_machine", 1), ("job", 1), ("note", 1), ("login", 1),
     ("tenant_health", 1), ("policy_assignment", 1), ("console_user", 0)],
)  # fmt: skip
def test_of_a_limited_role_its_own_is_there(full: House, entity: str, number: int) -> None:
    assert len(full.sources(LABS).rows(entity)) == number


@pytest.mark.parametrize("entity", [name for name, one in ENTITIES.items() if "cloud" in one.attributes] + ["cloud"])
def test_another_cloud_is_not_seen(full: House, entity: str) -> None:
    assert not [row for row in full.sources(OTHER_CLOUD).rows(entity) if row.get("cloud", row.get("name")) == "prod"]


@EVERY
@pytest.mark.parametrize("role", ROLES)
def test_rights_are_those_of_the_rooms(full: House, entity: str, role: Any) -> None:
    caller = Caller("somebody", 4711, role=role)
    sources = full.sources(caller)
    assert sources.may(entity) == rules.allows(role, PERMISSIONS[entity])
    if not sources.may(entity):
        with pytest.raises(NotAllowed, match="may not read"):
            sources.rows(entity)


def test_a_choice_of_clouds_narrows(full: House) -> None:
    assert len(full.sources(ADMIN, "prod").rows("drift_event")) == len(full.sources().rows("drift_event"))
    assert full.sources(ADMIN, "elsewhere").rows("drift_event") == []
    assert full.sources(ADMIN, "elsewhere").rows("cloud") == []


def test_what_is_left_out_is_said(full: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert full.sources().rows("audit_record").left_out == 0
    monkeypatch.setattr(lists, "MOST", 2)
    rows = full.sources().rows("audit_record")
    assert len(rows) == 2 and rows.left_out > 0


def test_what_rows_say(full: House) -> None:
    sources = full.sources(VIEWER)
    drift = next(row for row in sources.rows("drift_event") if row["resource_id"] == WEB_1 and row["field"] == "status")
    assert (drift["server_name"], drift["state"], drift["old_value"]) == ("web-1", "open", "ACTIVE")
    login = next(row for row in sources.rows("login") if row["user"] == "eve")
    assert (login["outcome"], login["address"]) == ("refused", "192.0.2.7")
    health = {row["project_name"]: row for row in sources.rows("tenant_health")}
    assert health["acme-prod"]["servers"] == 1 and health["acme-prod"]["reasons"]
    protected = {row["volume_name"]: row for row in sources.rows("compliance")}
    assert protected["data"]["status"] == "no_policy"
    assert protected["spare"]["policies"] == ["daily_5"]
