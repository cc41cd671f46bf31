"""Drift: events and the rules that make them."""

from __future__ import annotations

from copilot.model.declaration import Entity
from copilot.model.rooms_columns import PLACE, SCOPES, attributes, is_, states

DRIFT_EVENT = Entity(
    "drift_event",
    ("drift event", "drift", "deviation", "unexpected change", "config drift", "configuration drift", "drift alert"),
    ("drift events", "drifts", "deviations", "unexpected changes", "drift alerts"),
    attributes(
        ("id", "number", "event", ("event", "event number")),
        ("severity", "status", "severity", ("severity", "level", "priority")),
        ("state", "status", "state", ("state", "status")),
        ("what", "text", "what changed", ("description", "what", "summary")),
        "resource_type",
        "resource_name",
        "resource_id",
        "server_name",
        *PLACE,
        "domain_name",
        ("field", "text", "field", ("field", "attribute", "changed field")),
        ("old_value", "text", "before", ("old value", "before", "previous value")),
        ("new_value", "text", "after", ("new value", "after", "current value")),
        ("rule", "name", "rule", ("rule", "drift rule")),
        ("opened_at", "time", "since", ("detected", "opened", "detection time", "age", "time")),
        ("resolved_at", "time", "resolved", ("resolved", "resolution time")),
        ("count", "number", "times", ("count", "occurrences", "times")),
        ("flapping", "bool", "flapping", ("flapping",)),
        ("acknowledged", "bool", "acknowledged", ("acknowledged",)),
        ("acknowledged_by", "name", "acknowledged by", ("acknowledged by", "acknowledger")),
        ("acknowledged_at", "time", "acknowledged at", ("acknowledged at",)),
        ("actor", "name", "who", ("who", "actor", "user", "by", "culprit", "author")),
        ("grade", "text", "how surely", ("grade", "certainty")),
    ),
    states=states(
        (("open", "unresolved", "active", "ongoing", "outstanding"), is_("state", "open")),
        (("to be looked at", "unacknowledged", "unhandled", "not acknowledged", "unacked", "in triage", "pending"),
         is_("state", "open", "resolved_unseen")),
        (("acknowledged", "acked", "accepted"), is_("acknowledged", True)),
        (("resolved", "fixed", "closed", "reverted"), is_("state", "resolved", "resolved_unseen")),
        (("ignored",), is_("state", "ignored")),
        (("expected",), is_("state", "expected")),
        (("critical", "severe", "serious"), is_("severity", "critical")),
        (("warning", "warn"), is_("severity", "warning")),
        (("informational", "info"), is_("severity", "info")),
        (("flapping",), is_("flapping", True)),
    ),
    scopes=SCOPES | {"server": "server_name", "domain": "domain_name", "user": "actor"},
    born="opened_at",
    columns=("severity", "state", "what", "project_name", "opened_at", "actor"),
    default_order=(("opened_at", True),),
    name_column="resource_name",
)  # fmt: skip

DRIFT_RULE = Entity(
    "drift_rule",
    ("drift rule", "detection rule"),
    ("drift rules", "detection rules"),
    attributes(
        ("id", "number", "rule", ("rule number", "number")),
        ("name", "name", "name", ("name",)),
        "resource_type",
        ("field", "text", "field", ("field", "attribute")),
        ("severity", "status", "severity", ("severity", "level")),
        ("enabled", "bool", "enabled", ("enabled",)),
        ("open_events", "number", "open", ("open events", "events")),
        ("description", "text", "description", ("description",)),
    ),
    states=states(
        (("enabled", "active", "on"), is_("enabled", True)),
        (("disabled", "off", "switched off"), is_("enabled", False)),
        (("critical",), is_("severity", "critical")),
        (("warning",), is_("severity", "warning")),
        (("info",), is_("severity", "info")),
    ),
    columns=("name", "resource_type", "severity", "enabled", "open_events"),
    default_order=(("id", False),),
)
