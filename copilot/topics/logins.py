"""Who logged in, who could not, when, and how often: questions with "log in" as a verb."""

from __future__ import annotations

from dataclasses import replace

from copilot.answers import Answer
from copilot.grammar.frames import Piece
from copilot.query import Test
from copilot.topics.framing import by_whom, form_of, rows_of, when, with_people
from copilot.topics.speech import Speech, knows
from copilot.topics.topic import Asked, Topic

_VERB = (
    r"\b(logged in|signed in|logged on|signed on|log in|sign in|log on|sign on|logged|login|logging in|signing in)\b"
)
_ASKS = (
    r"\b(who|whose|did|has|have|when|was|were|how often|how many times|"
    r"which (user|person|account)s?|users? (who|that))\b"
)
_REFUSED = ("fail", "failed", "refused", "denied", "rejected", "unsuccessful", "unsuccessfully", "unable", "wrong")
_LAST = r"\b(last|latest|newest|most recent|most recently)\b"
_MOST = r"\b(most often|most times|the most|most|most frequently)\b"
_KNOWN = knows(
    "logged log sign signed login logins logging signing who whose did has have when was were often times time users "
    "user person people account accounts that fail failed refused denied rejected unsuccessful unsuccessfully unable "
    "wrong last latest newest most recent recently ever frequently anyone anybody somebody someone everybody into "
    "console portal qdeck here successfully able be first people's which but could access as tried try attempt "
    "attempted not",
    ("user", "console_user", "login"),
    periods=True,
)


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if not (heard.matches(_VERB) and heard.matches(_ASKS)):
        return 0.0
    missing = heard.has("never") or (heard.has("not") and not heard.has("could", "able"))
    if (
        missing
        or heard.has("can", "may", "allowed", "logins", "per", "each", "first")
        or asked.parse.groups
        or _is_noun(heard)
    ):
        return 0.0
    return _KNOWN.claim(_known(asked))


def _is_noun(heard: Speech) -> bool:
    """ "when was the last failed login": a query of the list."""
    return heard.has("login", "log in") and heard.matches(
        r"\b(a|any|the|last|latest|failed|refused|s) (login|log in)\b"
    )


def _known(asked: Asked) -> Asked:
    return with_people(asked, "login", "user")


def _answer(asked: Asked) -> Answer | None:
    asked, heard = _known(asked), Speech.of(asked)
    refused = heard.has(*_REFUSED) or (heard.has("not") and heard.has("could", "able"))
    outcome = "refused" if refused else "ok"
    pieces = [*by_whom("user", asked), *when("login", asked.period)]
    if refused or not heard.has("tried", "try", "attempt", "attempted"):
        said = "failed" if refused else "successful"
        pieces.insert(0, Piece("column:outcome", Test("outcome", "=", (outcome,)), said))
    if heard.matches(_MOST) and not heard.matches(_LAST):
        return rows_of("login", pieces, asked, most="user")
    form = form_of(heard)
    made = rows_of("login", pieces, asked, form=form, newest=form == "list" and heard.matches(_LAST))
    return replace(made, unknown=_KNOWN.beyond(asked))


TOPIC = Topic("recent_activity", _claims, _answer)
