"""Periods of time in words, as a person on shift means them.

- "since X" begins where X begins, "before X" ends there; "after X" begins where X ends, "until X" and "by X" end there.
- "on Tuesday", "yesterday", "last week" are all of it; with a time of day ("yesterday at 14:00") they are a moment.
- "as of X" is a moment: of a whole day or week its end, but never later than now.
- "the last 24 hours", "past week" run up to now and have no end; "in 30 days" looks back, unless the question looks
  ahead ("expiring in 30 days").
- "older than 30 days", "for more than 2 hours", "> 30 days", "30 days old" are ages (`Period.age`). "3 days old" is a
  day's time: from four to three days ago. "more than 3 days ago" is a plain bound, "3 days ago" a moment.
- "recently" is the last seven days, "a few" are three.

What floats ("Monday", "20 Nov") is explained in `copilot.language.moments`, what is no date in `.dates`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from copilot.language import ranges, timewords
from copilot.language.civil import Civil, Lasting, Span
from copilot.language.moments import PARTS, Moment, moment
from copilot.language.phrases import phrase, phrases, word
from copilot.language.pieces import MONTHS, NUMBER_WORDS, WEEKDAYS
from copilot.language.spelling import correct
from copilot.language.timewords import said
from copilot.reading import Period, Token

Bound = Literal["since", "after", "before", "until", "as of"]
Read = tuple[Period, int]
_THAN = ("than", "then", "as")  # "older as", too: so say many whose first language is German

_BOUND: dict[str, Bound] = {
    **dict.fromkeys(
        ("since", "ever since", "starting", "starting from", "starting on", "as from", "beginning"), "since"
    ),
    **dict.fromkeys(("after", "later than", "later then", "no earlier than"), "after"),
    **dict.fromkeys(("before", "before to", "earlier than", "earlier then", "ahead of"), "before"),
    **dict.fromkeys(
        ("until", "up until", "up to", "upto", "through", "by", "no later than", "not later than"), "until"
    ),
    **dict.fromkeys(("as of", "as at", "as on", "asof", "at the time of", "back on", "back at"), "as of"),
}
_HOURS = frozenset({"since", "after", "before", "until", "as of", "at"})  # "since 9" is a time of day, "up to 9" is not

_LONGER = ("older", "longer", "greater")
_SHORTER = ("newer", "younger", "shorter")
Side = tuple[Literal["longer", "shorter"], bool]  # and whether the bound itself belongs to it


def _comparisons() -> dict[str, Side]:
    longer = [f"{one} {than}" for one in ("more", "longer", "greater", "older", "bigger") for than in _THAN]
    shorter = [f"{one} {than}" for one in ("less", "shorter", "newer", "younger", "fewer") for than in _THAN]
    shorter += ["more recent than", "more recently than"]
    found: dict[str, Side] = {
        **dict.fromkeys(
            (*longer, "over", "above", ">", "beyond", "exceeding", "in excess of", "upwards of"), ("longer", False)
        ),
        **dict.fromkeys((*shorter, "under", "below", "<"), ("shorter", False)),
        **dict.fromkeys(("at least", "atleast", ">=", "minimum", "a minimum of", "minimum of"), ("longer", True)),
        **dict.fromkeys(("at most", "atmost", "<=", "up to", "upto", "maximum", "a maximum of"), ("shorter", True)),
    }
    found |= dict.fromkeys(("older", "olderthan"), ("longer", False))
    found |= dict.fromkeys(("newer", "newerthan", "younger"), ("shorter", False))
    for no in ("no", "not"):
        found |= {f"{no} {one}": ("shorter", True) for one in (*longer, "over")}
        found |= {f"{no} {one}": ("longer", True) for one in (*shorter, "under")}
    return found


_COMPARED = phrases(_comparisons())
_BOUNDS = phrases(_BOUND)
_MORE = phrases(
    {f"{link} {one}": True for link in ("or", "and") for one in ("more", "older", "longer", "over", "up", "above")}
    | {"+": True, "plus": True}
)
_LESS = phrases({f"{link} {one}": True for link in ("or", "and") for one in ("less", "newer", "younger", "shorter")})
_ON = frozenset(
    {"on", "in", "during", "throughout", "from", "for", "of", "at", "over", "within", "around", "about", "@"}
)
_LOOSE = ("at any time", "at any point", "any time", "anytime", "sometime", "at some point", "earlier", "early", "late")
_ANY_TIME = phrases(dict.fromkeys((*_LOOSE, "later"), True))
_RECENTLY = frozenset({"recently", "lately"})
_OTHERS = """today yesterday tomorrow tonight noon midnight overnight between the last past previous preceding this
current next coming week weekend a an half few couple start beginning end middle month year over now day quarter first
same"""
_FIRST = (
    frozenset(one for many in (_COMPARED, _BOUNDS, _ANY_TIME) for one in many)
    | _ON
    | _RECENTLY
    | frozenset((*WEEKDAYS, *MONTHS, *PARTS, *NUMBER_WORDS, *_OTHERS.split()))
)
_AHEAD = frozenset(
    {"due", "will", "upcoming", "going", "planned", "scheduled", "expire", "expires", "expiring", "expiry"}
)


def period(tokens: Sequence[Token], i: int, now: datetime, zone: tzinfo) -> tuple[Period, int] | None:
    """The period, moment or age that begins at token i, and how many tokens it takes; None when there is none.

    `now` is aware; days begin and clocks show what `zone` says. The bounds are aware, in UTC. Never raises.
    """
    first = said(tokens, i)
    digits = 0 <= i < len(tokens) and (tokens[i].kind in ("number", "name") or first[:1].isdecimal())
    if first not in _FIRST and not digits and word(tokens, i + 1) not in _THAN:
        return None
    if said(tokens, i - 1) in ("every", "each"):
        return None
    now = now.astimezone(UTC)
    civil = Civil(now, zone, now, any(token.word in _AHEAD for token in tokens))
    skipped = phrase(tokens, i, _ANY_TIME)
    k = i + (skipped[1] if skipped and word(tokens, i + 1) not in _THAN else 0)
    for rule in (_age, _between, _bounded, _on):
        try:
            found = rule(tokens, k, civil)
        except (ValueError, OverflowError):
            continue  # a time that does not exist: the 31st of June, the year 0
        if found is not None:
            end = found[1] + 2 * (word(tokens, found[1]) == "so" and word(tokens, found[1] + 1) == "far")
            return found[0], end - i
    return None


def _made(
    civil: Civil, since: datetime | None = None, until: datetime | None = None, *, age: bool = False, said: str = ""
) -> Period:
    """A period with its words."""
    if since is not None and until is not None and since > until:
        since, until = until, since
    if since is not None and until is not None:
        words = _both(civil, since, until)
    elif since is not None:
        words = f"since {civil.named(since)}"
    elif until is not None:
        words = f"before {civil.named(until)}"
    else:
        raise ValueError("a period without bounds")
    return Period(since, until, None, f"{said}: {words}" if said else words, age)


def _both(civil: Civil, since: datetime, until: datetime) -> str:
    first, last = civil.local(since), civil.local(until)
    if (first.hour, first.minute, last.hour, last.minute) == (0, 0, 0, 0) and last.date() - first.date() == timedelta(
        1
    ):
        return f"on {civil.named(since, day=True)}"
    same = civil.zone_of(since) == civil.zone_of(until)
    return f"from {civil.named(since, zone=not same)} to {civil.named(until)}"


def _at(civil: Civil, at: datetime) -> Period:
    return Period(at=at, words=f"as of {civil.named(at)}")


def _from_span(civil: Civil, span: Span) -> Period:
    if span.point:
        return _at(civil, span.start)
    return _made(civil, span.start, None if span.rolling else span.end)


def _age(tokens: Sequence[Token], i: int, civil: Civil) -> Read | None:
    """ "older than 30 days", "for more than 2 hours", "30 days old", "more than 3 days ago", "older than Monday"."""
    lasts = word(tokens, i) == "for" or (word(tokens, i) == "since" and _compared(tokens, i + 1) is not None)
    k = i + (lasts or word(tokens, i) == "in")
    compared = _compared(tokens, k)
    if compared is None and k > i and not lasts:
        return None
    about = k + (compared[1] if compared else 0)
    about += word(tokens, about) in ("about", "around", "roughly", "almost", "nearly")
    if (found := _length(tokens, about)) is None:
        return None if compared is None else _age_of_moment(tokens, i, k, civil)
    length, side, k = found
    aged = lasts or _of_age(tokens, i, about) or word(tokens, k) in ("ago", "old", "back")
    if compared and word(tokens, k - 1) == "m" and not aged:
        return None  # "over 512m" is a size
    side = compared[0][0] if compared else side
    if side == "" and (behind := phrase(tokens, k, _MORE) or phrase(tokens, k, _LESS)) is not None:
        side, k = ("longer" if phrase(tokens, k, _MORE) else "shorter"), k + behind[1]
    if word(tokens, k) in ("ago", "back"):
        return _bound_ago(civil, length, side, k + 1)
    old = word(tokens, k) in ("old", "older") or (word(tokens, k) == "of" and word(tokens, k + 1) == "age")
    end = k + (0 if not old else 2 if word(tokens, k) == "of" else 1)
    if side == "" and old and not lasts:
        more = phrase(tokens, end, _MORE)
        if more is not None:
            side, end = "longer", end + more[1]
        else:
            return _made(civil, *_whole(civil, length), age=True, said=f"{length.said} old"), end
    if side == "" and not lasts:
        return None
    bound = civil.shifted(length)
    if side == "shorter":
        return _made(civil, bound, age=True, said=f"less than {length.said}"), end
    return _made(civil, None, bound, age=True, said=f"more than {length.said}"), end


def _compared(tokens: Sequence[Token], k: int) -> tuple[Side, int] | None:
    """What is said before a length of time; "oldr than" is forgiven."""
    found = phrase(tokens, k, _COMPARED)
    if found is None and word(tokens, k + 1) in _THAN:
        meant = correct(word(tokens, k), ("older", "longer", "greater", "newer", "younger", "shorter"))
        return (
            None if meant is None else (("longer" if meant in ("older", "longer", "greater") else "shorter", False), 2)
        )
    return found


def _length(tokens: Sequence[Token], k: int) -> tuple[Lasting, str, int] | None:
    """A length of time; "30+ days" says that it may be longer."""
    if word(tokens, k + 1) == "+" and tokens[k].kind == "number":
        found = timewords.lasting((tokens[k], *tokens[k + 2 : k + 4]), 0)
        return None if found is None else (found[0], "longer", k + 1 + found[1])
    plain = timewords.lasting(tokens, k)
    return None if plain is None else (plain[0], "", plain[1])


def _whole(civil: Civil, length: Lasting) -> tuple[datetime, datetime]:
    """When something was born that is so many units old: one unit long."""
    unit = length.said.split()[-1].removesuffix("s")
    one = timewords.of(1, unit)
    earlier = Lasting(length.months + one.months, length.days + one.days, length.seconds + one.seconds)
    return civil.shifted(earlier), civil.shifted(length)


def _bound_ago(civil: Civil, length: Lasting, side: str, end: int) -> Read | None:
    bound = civil.shifted(length)
    if side == "":
        return None  # "3 days ago": a moment
    return (_made(civil, None, bound) if side == "longer" else _made(civil, bound)), end


def _age_of_moment(tokens: Sequence[Token], i: int, k: int, civil: Civil) -> Read | None:
    """ "older than 2026-01-01", "not newer than last week": only words of age take a moment."""
    compared = phrase(tokens, k, _COMPARED)
    if compared is None:
        return None
    (side, inside), length = compared
    if not _of_age(tokens, k, k + length):
        return None
    found = _moment(tokens, k + length, replace(civil, ahead=False), hours=False)
    if found is None:
        return None
    span = found[0].span
    if side == "longer":
        return _made(civil, None, span.end if inside else span.start, age=True), found[1]
    if inside or span.rolling:
        return _made(civil, span.start, age=True), found[1]
    return _made(civil, _after(tokens, k + length, found[0], civil, hours=False), age=True), found[1]


def _between(tokens: Sequence[Token], i: int, civil: Civil) -> Read | None:
    """ "between Monday and Wednesday", "from 9 to 10 this morning", "20-25 Nov", "1 to 2 weeks ago"."""
    found = ranges.ages(tokens, i, civil)
    if found is not None:
        span, age, end = found
        return _made(civil, span.start, span.end, age=age), end
    read = ranges.between(tokens, i, civil)
    if read is None:
        return None
    return _made(civil, read[0].start, None if read[0].rolling else read[0].end), read[1]


def _of_age(tokens: Sequence[Token], start: int, end: int) -> bool:
    return any(
        word(tokens, k) in ("older", "newer", "younger", "longer", "recent", "recently") for k in range(start, end)
    )


def _moment(tokens: Sequence[Token], k: int, civil: Civil, *, hours: bool) -> tuple[Moment, int] | None:
    """A moment or period, also "the last 30 days", after a preposition."""
    rolling = _rolling(tokens, k, civil)
    if rolling is not None:
        return Moment(rolling[0]), rolling[1]
    if word(tokens, k) == "now" or (word(tokens, k) == "right" and word(tokens, k + 1) == "now"):
        return Moment(Span(civil.now, civil.now, point=True)), k + 1 + (word(tokens, k) == "right")
    k += word(tokens, k) in ("on", "at", "about", "around") or (word(tokens, k) == "in")
    return moment(tokens, k, civil, led=True, hours=hours or word(tokens, k - 1) == "at")


def _rolling(tokens: Sequence[Token], k: int, civil: Civil) -> tuple[Span, int] | None:
    """ "the last 24 hours", "past 2 weeks", "next 7 days"."""
    k += word(tokens, k) == "the"
    which = said(tokens, k)
    if which not in ("last", "past", "previous", "preceding", "next", "coming", "following"):
        return None
    found = timewords.lasting(tokens, k + 1)
    if found is None and word(tokens, k + 2) == "or" and word(tokens, k + 3) in ("two", "2"):
        what = timewords.unit(tokens, k + 1)  # "the last day or two"
        found = (timewords.of(2, what), k + 4) if what else None
    if found is None:
        return None
    if which in ("next", "coming", "following"):
        return Span(civil.now, civil.shifted(found[0], 1)), found[1]
    return civil.rolling(found[0]), found[1]


def _bounded(tokens: Sequence[Token], i: int, civil: Civil) -> Read | None:
    """ "since yesterday", "before noon", "as of Monday 9:00", "since Monday and before Thursday"."""
    found = _phrase_said(tokens, i)
    if found is None:
        return _onwards(tokens, i, civil)
    bound, k = found[0], i + found[1]
    hours = said(tokens, i) in _HOURS or bound == "as of"
    seen = replace(civil, ahead=False) if bound in ("since", "as of") else civil
    read = _moment(tokens, k, seen, hours=hours)
    if read is None:
        length = timewords.lasting(tokens, k)
        if length is None or bound not in ("since", "before"):
            return None
        at = civil.shifted(length[0])  # "since 3 days"
        return (_made(civil, at) if bound == "since" else _made(civil, None, at)), length[1]
    span, end = read[0].span, read[1]
    if bound == "as of":
        return _at(civil, min(span.end, max(civil.now, span.start))), end
    if bound in ("before", "until"):
        return _made(civil, None, span.start if bound == "before" else span.end), end
    upper = _upper(tokens, end, civil)
    if upper is not None and read[0].floats and upper[0] <= span.end:
        again = _moment(tokens, k, replace(seen, limit=upper[0] - timedelta(microseconds=1)), hours=hours)
        read = again or read
    span = read[0].span
    since = span.start if bound == "since" or span.rolling else _after(tokens, k, read[0], seen, hours=hours)
    if upper is not None and upper[0] >= since:
        return _made(civil, since, upper[0]), upper[1]
    return _made(civil, since), end


def _after(tokens: Sequence[Token], k: int, read: Moment, civil: Civil, *, hours: bool) -> datetime:
    """The end of what was read; "after Monday", said on a Monday, is after the one before."""
    if read.floats and read.span.end > civil.now and not civil.ahead:
        again = _moment(tokens, k, replace(civil, limit=read.span.start - timedelta(microseconds=1)), hours=hours)
        read = again[0] if again is not None else read
    return read.span.end


def _phrase_said(tokens: Sequence[Token], i: int) -> tuple[Bound, int] | None:
    """A phrase of `_BOUNDS`, its first word with typos mended."""
    for words, bound in _BOUNDS.get(said(tokens, i), ()):
        if all(word(tokens, i + n) == one for n, one in enumerate(words) if n):
            return bound, len(words)
    return None


def _onwards(tokens: Sequence[Token], i: int, civil: Civil) -> Read | None:
    """ "from Monday on", "from 9:00": it begins there."""
    if word(tokens, i) != "from":
        return None
    read = _moment(tokens, i + 1, replace(civil, ahead=False), hours=False)
    if read is None:
        return None
    span, end = read[0].span, read[1]
    onwards = word(tokens, end) in ("onwards", "onward", "forward") or (
        word(tokens, end) == "on" and (end + 1 == len(tokens) or tokens[end + 1].kind == "mark")
    )
    return (_made(civil, span.start), end + onwards) if onwards or span.point else None


def _upper(tokens: Sequence[Token], k: int, civil: Civil) -> tuple[datetime, int] | None:
    """The end that follows a beginning: "... until Thursday", "... and before noon"."""
    k += word(tokens, k) in ("and", "but", ",")
    found = _phrase_said(tokens, k)
    if found is None or found[0] not in ("before", "until"):
        return None
    read = _moment(tokens, k + found[1], civil, hours=word(tokens, k) in _HOURS)
    if read is None:
        return None
    return read[0].span.start if found[0] == "before" else read[0].span.end, read[1]


def _on(tokens: Sequence[Token], i: int, civil: Civil) -> Read | None:
    """ "on Tuesday", "in the last 7 days", "last week", "yesterday at 14:00", "yesterday after noon", "within 2h"."""
    first = said(tokens, i)
    if first in _RECENTLY:
        return _from_span(civil, civil.rolling(timewords.of(7, "day"))), i + 1
    k = i + (first in _ON)
    k += k > i and word(tokens, k) in ("about", "around", "roughly")
    if first in ("in", "within") and (length := timewords.lasting(tokens, k)) is not None:
        if civil.ahead:
            return _made(civil, civil.now, civil.shifted(length[0], 1)), length[1]
        if word(tokens, length[1]) not in ("ago", "back", "old"):
            return _from_span(civil, civil.rolling(length[0])), length[1]
    rolling = _rolling(tokens, k, civil)
    if rolling is not None:
        return _from_span(civil, rolling[0]), rolling[1]
    read = moment(tokens, k, civil, led=k > i and first not in ("over", "at"), hours=first == "at")
    if read is None:
        return None
    if read[0].daylong and (part := ranges.part(tokens, read[1], read[0].span, civil)) is not None:
        return _made(civil, part[0].start, part[0].end), part[1]
    return _from_span(civil, read[0].span), read[1]
