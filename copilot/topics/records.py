"""What was done through this console: by whom, how often, what failed, and who did something to a kind of thing."""

from __future__ import annotations

import re
from dataclasses import replace

from copilot.answers import Answer
from copilot.grammar.frames import Piece
from copilot.model.registry import entity
from copilot.query import Test
from copilot.topics.framing import by_whom, form_of, rows_of, when, with_people
from copilot.topics.speech import Speech, knows
from copilot.topics.topic import Asked, Topic

_PLACE = r"(console|portal|qdeck|quarterdeck|tool|application|app)"
_THROUGH = (
    rf"\b(changes?|changed|actions?|operations?|done|did|do|happened|made)\b.*"
    rf"\b(through|via|in|with|from|by|using|on|at|over)\b (<user> )?(this |the |our |my )?{_PLACE}\b"
)
_OWN = rf"\b{_PLACE}('s)? (changes|actions|operations)\b"
_NOUN = r"\b(actions?|operations?|audit|audit (records?|entries|entry|events?|log|trail)|activit(y|ies))\b"
_DONE = (
    r"^(so |and )?((what (was|were|has been|have been|got|have we|has everybody|did we|did (the )?(team|people|"
    r"colleagues|operators|others))|was (anything|something)|did (anyone|anybody|someone|somebody)|"
    r"has (anyone|anybody|someone|somebody))\b.*\b(done|do)\b|what (has|have|is|was) <(user|console_user)> (been )?"
    r"(up to|doing|done|done so far)\b)"
)
_THING = r"\blast (thing|action)\b.*\b(did|made)\b|\b<(user|console_user)> last (did|do)\b"
_BOTH = r"^what (did|have|has) <(user|console_user)> (and|or) <(user|console_user)> (do|done|been doing)\b"
_BUSY = r"^who (has been|was|is|has) (doing|done|up to)\b"
_MOST = r"\b(most|busiest|most active)\b"
_WHO_MOST = r"\b(who|which (user|person|operator|colleague))\b.*\b(did|does|done|performed|made|executed)\b.*\b(most)\b"
_LAST = r"\b(last|latest|newest|most recent)\b"
_FAILED = ("fail", "failed", "fails", "unsuccessful", "failing")
_REFUSED = ("refused", "denied", "rejected", "forbidden")
_WENT = ("successful", "succeeded", "successfully", "ok")
_KNOWN = knows(
    "changes change changed action actions operation operations done did do does happened happen made make through via "
    "with from using over console portal qdeck quarterdeck tool application app audit record records entry entries "
    "event events log trail activity activities what was were has have got been team people colleagues operators "
    "others anyone anybody someone somebody anything something everybody most busiest active who which user users "
    "person operator colleague performed perform executed last latest newest recent fail failed fails unsuccessful "
    "failing refused denied rejected forbidden successful succeeded successfully ok up thing things stuff carried out "
    "taken took take everything own number count history doing whose often times so far 's who",
    ("user", "console_user"),
    periods=True,
)
_VERBS = {
    "stopped": "stop", "started": "start", "rebooted": "reboot", "restarted": "reboot", "deleted": "delete",
    "removed": "delete", "created": "create", "made": "create", "built": "create", "locked": "lock",
    "unlocked": "unlock", "snapshotted": "snapshot", "resized": "resize", "renamed": "rename", "paused": "pause",
    "unpaused": "unpause", "suspended": "suspend", "resumed": "resume", "shelved": "shelve", "migrated": "migrate",
    "extended": "extend", "attached": "attach", "detached": "detach", "rebuilt": "rebuild", "disabled": "disable",
    "enabled": "enable",
}  # fmt: skip
_WHO_DID = re.compile(rf"^(so |and )?(who|which (user|operator|admin|person))( has| have| had)? ({'|'.join(_VERBS)})\b")
_TOOK = re.compile(r"^(so |and )?(who|which (user|operator|admin|person))( has| have| had)? (took|taken|made|created) ")
_DID_KNOWN = knows(
    " ".join(_VERBS) + " reported who which user operator admin person has have had took taken any last",
    ("user", "console_user"),
    periods=True,
)  # fmt: skip


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if heard.has("can", "could", "possible", "available", "may", "allowed", "never", "drift", "before", "between"):
        return 0.0
    if _actions(asked, heard):
        types = frozenset(_of_what(asked))
        return replace(_DID_KNOWN, types=_DID_KNOWN.types | types).claim(asked)
    if asked.parse.groups or heard.has("per", "each"):
        return 0.0
    if (
        heard.matches(_THROUGH)
        or heard.matches(_OWN)
        or any(heard.matches(one) for one in (_DONE, _WHO_MOST, _THING, _BOTH, _BUSY))
    ):
        return _KNOWN.claim(_known(asked))
    return _KNOWN.claim(_known(asked), 0.95) if heard.matches(_NOUN) else 0.0


def _known(asked: Asked) -> Asked:
    return with_people(asked, "audit_record", "actor")


def _of_what(asked: Asked) -> list[str]:
    return [item.entities[0] for item in asked.items if item.entities and not item.named
            and entity(item.entities[0]).type is not None and item.entities[0] != "user"]  # fmt: skip


def _actions(asked: Asked, heard: Speech) -> tuple[str, ...]:
    """ "who stopped a server": ids of the action. () where it is another question, or about one that is named."""
    types = _of_what(asked)
    if len(types) != 1 or asked.named:
        return ()
    if types == ["snapshot"] and _TOOK.match(heard.text):
        return ("server.snapshot", "volume.snapshot", "snapshot.create")
    found = _WHO_DID.match(asked.question.lower())  # as typed: "rebooted" may have been mended
    return (f"{types[0]}.{_VERBS[found[5]]}",) if found else ()


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    actions = _actions(asked, heard)
    if actions:
        return _who_did(actions, asked)
    asked = _known(asked)
    heard = Speech.of(asked)
    pieces = [*by_whom("actor", asked), *when("audit_record", asked.period)]
    for words, outcome in ((_FAILED, "failed"), (_REFUSED, "refused"), (_WENT, "ok")):
        if heard.has(*words):
            pieces.append(Piece("column:outcome", Test("outcome", "=", (outcome,)), outcome))
    if heard.matches(_MOST) and not heard.matches(_LAST):
        return rows_of("audit_record", pieces, asked, most="actor")
    form = form_of(heard)
    newest = heard.matches(_THING) or (
        heard.matches(_LAST) and not heard.has("actions", "operations", "changes", "records")
    )
    made = rows_of("audit_record", pieces, asked, form=form, newest=form == "list" and newest)
    return replace(made, unknown=_KNOWN.beyond(asked))


def _who_did(actions: tuple[str, ...], asked: Asked) -> Answer | None:
    """The records of it; None where there are none: then what changed is told."""
    made = rows_of(
        "audit_record",
        (Piece("column:action", Test("action", "=", actions), actions[0]), *when("audit_record", asked.period)),
        asked,
        newest=Speech.of(asked).has("last"),
    )
    found = made.table is not None and made.table.total
    if found:
        who = dict.fromkeys(str(row.get("actor")) for row in made.table.rows) if made.table else {}
        return replace(made, text=f"Through this console: {', '.join(who)}. {made.text}")
    if any(action.endswith((".delete", ".resize", ".migrate")) for action in actions):
        return None
    return replace(made, text=f"Nobody through this console, as far as the audit goes. {made.text}")


TOPIC = Topic("recent_activity", _claims, _answer)
