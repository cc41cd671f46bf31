"""Who is what: roles in projects and domains of the clouds, and in this console."""

from __future__ import annotations

from copilot.answering.wording import clean
from copilot.answers import Answer
from copilot.grammar.frames import Piece
from copilot.query import Test, both
from copilot.topics.framing import form_of, rows_of, with_people
from copilot.topics.listing import called, fetch, shown, table
from copilot.topics.speech import Speech, knows
from copilot.topics.topic import Asked, Topic

_ROLES = {"admin": "admin", "admins": "admin", "administrator": "admin", "administrators": "admin",
          "member": "member", "members": "member", "reader": "reader", "readers": "reader", "operator": "operator",
          "operators": "operator", "viewer": "viewer", "viewers": "viewer"}  # fmt: skip
_KNOWN = knows(
    " ".join(_ROLES) + " who users user role roles rights right permission permissions people accounts account as with "
    "got holds hold whom number count not there",
    ("user", "console_user", "project", "domain"),
)
_HAS_ROLE = r"\b(role|roles)\b"
_OF_CONSOLE = ("operator", "viewer", "admin")
_LISTED = r"^(who|which users|users|list|show|all|how many|operators?|viewers?|admins?|administrators?)\b"


def _role(heard: Speech) -> str:
    return next((_ROLES[word] for word in heard.text.split() if word in _ROLES), "")


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    role, place = _role(heard), bool(asked.of_type("project", "domain"))
    person = bool(asked.of_type("user", "console_user")) or heard.matches(r"^(so |and )?(is|was) \S+ (an? |the )?\S+")
    if asked.parse.groups or asked.parse.negation or heard.has("not", "per", "each", "by", "group", "default"):
        return 0.0
    if heard.matches(_HAS_ROLE) and asked.of_type("user") and place:
        return _KNOWN.claim(asked)
    if not role or (role == "member" and not person):
        return 0.0
    if person and heard.matches(r"^(so |and )?(is|does|has)\b") and asked.of_type("server", "hypervisor") == ():
        known = with_people(asked, "console_user", "name")
        return _KNOWN.claim(known) if known.of_type("user", "console_user") else 0.0
    if place or (heard.matches(_HAS_ROLE) and heard.has("who", "users")):
        return _KNOWN.claim(asked)
    console = role in _OF_CONSOLE and heard.matches(_LISTED)
    return _KNOWN.claim(asked, 0.95) if console else 0.0


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    role = _role(heard)
    if heard.matches(r"^(so |and )?(is|does|has)\b"):
        return _is(with_people(asked, "console_user", "name"), role)
    if role in _OF_CONSOLE and not asked.of_type("project", "domain") and not heard.matches(_HAS_ROLE):
        roles = (role, "superadmin") if role == "admin" else (role,)
        return rows_of("console_user", (Piece("column:role", Test("role", "=", roles), role),), asked,
                       form=form_of(heard))  # fmt: skip
    pieces = _scope(asked)
    if role:
        pieces.append(Piece("column:role_name", Test("role_name", "=", (role,)), f"with role {role}"))
    return rows_of("role_assignment", pieces, asked, form=form_of(heard))


def _scope(asked: Asked) -> list[Piece]:
    pieces = []
    for type, column, said in (("project", "project_name", "on project"), ("domain", "domain_name", "on domain"),
                               ("user", "user_name", "of user")):  # fmt: skip
        for test in called(asked, column, type):
            name = asked.of_type(type)[0].name
            pieces.append(Piece(f"scope:{type}", test, f"{said} {name}", asked.of_type(type)))
    return pieces


def _is(asked: Asked, role: str) -> Answer | None:
    """ "is alice an admin": in the clouds, and in this console; on a project only there."""
    person = next(iter(asked.of_type("user", "console_user")), None)
    if person is None or not role:
        return None
    places = asked.of_type("project", "domain")
    tests = [Test("user_name", "=", (person.name,)), *(piece.condition for piece in _scope(asked))]
    held = fetch(asked, "role_assignment", both(*tests, Test("role_name", "=", (role,))))
    where = ", ".join(
        clean(str(row.get("project_name") or row.get("domain_name") or "everything")) for row in held.rows
    )
    said = [f"{clean(person.name)} has the role {role} on {where}" if held.rows else
            f"{clean(person.name)} has no role {role} {'there' if places else 'in the clouds'}"]  # fmt: skip
    value = bool(held.rows)
    if not places and asked.sources.may("console_user"):
        own = fetch(asked, "console_user", Test("name", "=", (person.name,)), columns=("name", "role", "active"))
        if own.rows:
            mine = str(own.rows[0]["role"])
            said.append(f"in this console the account {clean(person.name)} is {clean(mine)}")
            value = value or mine == role or (role == "admin" and mine == "superadmin")
    text = f"{'Yes' if value else 'No'}: {'; '.join(said)}."
    return Answer("answer", text, value=value, table=table(held), shown=shown(held), named=(person,),
                  data_at=asked.sources.data_at(("role_assignment",)))  # fmt: skip


TOPIC = Topic("roles", _claims, _answer)
