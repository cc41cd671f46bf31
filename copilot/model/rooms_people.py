"""People and the console: what was done, logins, notes, who may log in, clouds and how they were listed."""

from __future__ import annotations

from copilot.model.declaration import Entity
from copilot.model.rooms_columns import attributes, is_, states
from copilot.query import Not, Test

AUDIT = Entity(
    "audit_record",
    ("audit record", "audit entry", "audit event", "action at the console", "console action", "activity"),
    (
        "audit records",
        "audit entries",
        "audit events",
        "audit log",
        "audit trail",
        "console actions",
        "activities",
        "actions",
    ),
    attributes(
        ("seq", "number", "record", ("record", "record number")),
        ("at", "time", "when", ("when", "time", "at")),
        ("actor", "name", "who", ("who", "actor", "user", "by", "person", "operator")),
        ("action", "name", "action", ("action", "what")),
        ("target", "name", "to what", ("target", "object", "to what")),
        ("outcome", "status", "outcome", ("outcome", "result", "status")),
        ("cloud", "text", "cloud", ("cloud",)),
        ("reason", "text", "reason", ("reason", "why")),
        ("ticket", "text", "ticket", ("ticket", "change")),
        ("role", "text", "role", ("role",)),
        ("via", "text", "via", ("via",)),
    ),
    states=states(
        (("failed", "fail", "unsuccessful"), is_("outcome", "failed")),
        (("refused", "denied", "rejected", "forbidden"), is_("outcome", "refused")),
        (("successful", "succeeded", "ok"), is_("outcome", "ok")),
        (("begun", "intended"), is_("outcome", "intent")),
    ),
    scopes={"cloud": "cloud", "user": "actor", "console_user": "actor"},
    born="at",
    columns=("at", "actor", "action", "target", "outcome"),
    default_order=(("at", True),),
    name_column="target",
)

LOGIN = Entity(
    "login",
    ("login", "log in", "sign in", "logon", "login attempt"),
    ("logins", "log ins", "sign ins", "logons", "login attempts"),
    attributes(
        ("at", "time", "when", ("when", "time", "at")),
        ("user", "name", "user", ("user", "who", "account", "person")),
        ("outcome", "status", "outcome", ("outcome", "result", "status")),
        ("address", "address", "from", ("address", "ip", "from", "source")),
        ("agent", "text", "with", ("agent", "client", "browser")),
    ),
    states=states(
        (("failed", "fail", "refused", "denied", "rejected", "unsuccessful", "wrong"), is_("outcome", "refused")),
        (("successful", "succeeded", "ok"), is_("outcome", "ok")),
    ),
    scopes={"user": "user", "console_user": "user"},
    born="at",
    columns=("at", "user", "outcome", "address"),
    default_order=(("at", True),),
    name_column="user",
)

NOTE = Entity(
    "note",
    ("note", "remark", "annotation"),
    ("notes", "remarks", "annotations"),
    attributes(
        ("text", "name", "note", ("text", "note")),
        ("about", "name", "about", ("about", "subject", "name")),
        ("kind", "text", "kind", ("kind",)),
        ("resource_type", "text", "type", ("resource type", "type")),
        ("cloud", "text", "cloud", ("cloud",)),
        ("region", "text", "region", ("region",)),
        ("resource_id", "id", "id", ("id",)),
        ("by", "name", "by", ("by", "who", "author", "writer", "written by")),
        ("created_at", "time", "written", ("written", "created", "age", "time")),
        ("until", "time", "until", ("until", "valid until", "expiry")),
    ),
    states=states((("with an end", "temporary"), Test("until", "any")), (("without end",), Test("until", "none"))),
    scopes={"cloud": "cloud", "server": "about", "user": "by", "console_user": "by"},
    born="created_at",
    columns=("created_at", "by", "about", "text", "until"),
    default_order=(("created_at", True),),
    name_column="text",
)

CONSOLE_USER = Entity(
    "console_user",
    ("console user", "console account", "portal user", "qdeck user", "user of the console", "operator account"),
    ("console users", "console accounts", "portal users", "qdeck users", "users of the console", "operator accounts"),
    attributes(
        ("name", "name", "user", ("name", "user", "user name")),
        ("role", "text", "role", ("role", "permission", "right")),
        ("active", "bool", "active", ("active", "enabled")),
        ("clouds", "list", "clouds", ("clouds",)),
        ("domains", "list", "domains", ("domains",)),
        ("projects", "list", "projects", ("projects",)),
        ("last_login_at", "time", "last login", ("last login", "last seen", "logged in")),
        ("created_at", "time", "created", ("created", "age")),
        ("created_by", "name", "created by", ("created by", "made by")),
    ),
    states=states(
        (("active", "enabled"), is_("active", True)),
        (("inactive", "disabled", "locked"), is_("active", False)),
        (("admin", "administrator", "with admin role"), is_("role", "admin", "superadmin")),
        (("superadmin",), is_("role", "superadmin")),
        (("operator",), is_("role", "operator")),
        (("viewer", "read only"), is_("role", "viewer")),
        (("never logged in", "that never logged in"), Test("last_login_at", "none")),
    ),
    born="created_at",
    columns=("name", "role", "active", "last_login_at"),
    default_order=(("name", False),),
)

COLLECTION = Entity(
    "collection",
    ("collection", "listing", "collected type", "data collection"),
    ("collections", "listings", "collected types", "data collections"),
    attributes(
        ("resource_type", "name", "type", ("resource type", "type", "what")),
        ("cloud", "text", "cloud", ("cloud",)),
        ("region", "text", "region", ("region",)),
        ("scope", "text", "scope", ("scope",)),
        ("state", "status", "state", ("state", "status")),
        ("rows", "number", "rows", ("rows", "resources", "count")),
        ("missing", "number", "missing", ("missing", "vanished")),
        ("listed_at", "time", "listed", ("listed", "collected", "last collected", "freshness", "age", "read")),
        ("reason", "text", "reason", ("reason", "why", "error")),
    ),
    states=states(
        (("ok", "fine", "fresh", "healthy", "whole"), is_("state", "ok")),
        (("not ok", "failed", "failing", "broken", "unwell", "incomplete"), Not(is_("state", "ok"))),
        (("suspect", "suspicious"), is_("state", "suspect")),
        (("not permitted", "forbidden"), is_("state", "not_permitted")),
    ),
    scopes={"cloud": "cloud"},
    columns=("resource_type", "cloud", "region", "state", "rows", "listed_at", "reason"),
    default_order=(("listed_at", False),),
    name_column="resource_type",
)

CLOUD = Entity(
    "cloud",
    ("cloud", "openstack cloud", "connected cloud"),
    ("clouds", "openstack clouds", "connected clouds"),
    attributes(
        ("name", "name", "cloud", ("name", "cloud")),
        ("state", "status", "state", ("state", "status")),
        ("reason", "text", "reason", ("reason", "why", "error")),
        ("regions", "list", "regions", ("regions", "region")),
        ("writable", "bool", "writable", ("writable",)),
        ("writable_until", "time", "writable until", ("writable until",)),
        ("collected_at", "time", "collected", ("collected", "last collected", "freshness", "age")),
    ),
    states=states(
        (("ok", "reachable", "fine", "up", "connected"), is_("state", "ok")),
        (("not ok", "unreachable", "down", "failing", "broken", "unwell"), Not(is_("state", "ok"))),
        (("writable", "unlocked"), is_("writable", True)),
        (("read only", "locked", "readonly"), is_("writable", False)),
    ),
    columns=("name", "state", "regions", "writable", "collected_at", "reason"),
    default_order=(("name", False),),
)
