"""Problems: whether everything is well, and what is not."""

from __future__ import annotations

from collections import Counter

from copilot.answering.wording import clean
from copilot.answers import Answer, Proposal
from copilot.execution.result import Result
from copilot.query import AnyOf, Condition, Test, both
from copilot.topics.listing import called, fetch, plural, shown, table
from copilot.topics.measures import listed
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_GOOD = r"(ok|okay|fine|good|well|healthy|alright|right|green|normal|in order|stable|running|working|up|smoothly)"
_WELL = (
    r"\b(everything|all|things|cloud|clouds|we|infrastructure|environment|platform|estate|everyone|system|openstack)"
    r"( is| are)?( all| still| running| looking| look| looks| working)?"
    r" " + _GOOD + r"\b"
)
_WRONG = (
    r"\b(wrong|broken|on fire|burning|amiss|failing|alarming|worrying|problematic|troubling|"
    r"worry|worried|attention|outage|outages|trouble|alerts?|alarms?|problems?|issues?|incidents?|insights?|"
    r"concerns?|bad news|not (ok|okay|fine|working|well|right|good)|needs? fixing|critical|urgent)\b"
)
_OPENING = r"^(so |and |hey |ok |hi |hello |please |tell me )*"
_GENERAL = (
    _OPENING + r"(is|are) there (any |some )?(problems?|issues?|alerts?|alarms?|incidents?|trouble|outages?|concerns?)",
    _OPENING
    + r"(do|did|have) (we|i) (have |got )?(any )?(problems?|issues?|alerts?|alarms?|incidents?|trouble|outages?)",
    _OPENING + r"(any|anything|something|what|whats|what's|what is|what are|which|is|are|show|list|current|active|"
    r"open|give|the|critical|urgent|my|all|should)\b",
)
_KNOWN = knows(
    "everything all things cloud clouds we infrastructure environment platform estate ok okay fine good well healthy "
    "alright right green normal order stable running working up wrong broken fire burning amiss failing alarming "
    "worrying worry worried attention outage outages trouble alert alerts alarm alarms problem problems issue issues "
    "incident incidents insight insights concerns concern bad news not critical urgent severe warning warnings red "
    "needs need fixing be should know see look here today there going happening status open current active most "
    "important smoothly looking looks problematic troubling major big serious so system openstack anybody else "
    "immediate badly really seriously my requires require anything tell exist health shape",
    ("project", "server", "volume", "hypervisor", "cloud"),
)
_SEVERITY = {"critical": ("critical", "urgent", "severe", "fire", "burning", "serious", "major", "immediate"),
             "warning": ("warning", "warnings")}  # fmt: skip
_NOUNS = (
    r"(?<![<\w])(vms?|servers?|instances?|volumes?|disks?|hosts?|tenants?|projects?|jobs?|restores?|logins?|drift|policy|"
    r"images?|networks?|snapshots?|runs?)\b"
)
_IS_THING_WELL = r"^(so |and )?(is|are) <(server|hypervisor|volume|project|cloud)> (still )?(all )?" + _GOOD + "$"


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    well = heard.matches(_WELL)
    wrong = heard.matches(_WRONG)
    thing_well = heard.matches(_IS_THING_WELL) and not heard.has("running", "up")
    if not (well or wrong or thing_well) or heard.matches(_NOUNS) or asked.of_type("user") or asked.parse.groups:
        return 0.0
    if asked.named and not asked.of_type("project", "cloud", "hypervisor", "volume", "server"):
        return 0.0
    if thing_well:
        return _KNOWN.claim(asked)
    if asked.named and not heard.has("wrong", "problems", "problem", "alerts", "issues", "trouble", "alarms"):
        return 0.0
    if not well and not any(heard.matches(one) for one in _GENERAL) and len(heard.words) > 3:
        return 0.0
    if heard.matches(_OPENING + r"how many"):
        return 0.0
    if heard.matches(r"\b(broken|on fire|burning|failing|not working)\b") and _KNOWN.beyond(asked):
        return 0.0  # "the printer is broken"
    return _KNOWN.claim(asked, 1.0 if not asked.named else 0.95)


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    severity = next((name for name, words in _SEVERITY.items() if heard.has(*words)), None)
    where = both(*_where(asked, severity))
    result = fetch(asked, "problem", where)
    every = fetch(asked, "problem", where, columns=("severity", "title", "muted_until"))
    states, well = _states(asked)
    text = f"{states}{_text(asked, every, severity)}"
    value = None
    asks_well = heard.matches(_WELL) or heard.matches(_IS_THING_WELL)
    if asks_well or heard.matches(_OPENING + r"(is|are|any|anything|do|does|did|have|should)\b"):
        fine = result.total == 0 and well
        value = fine if asks_well and not heard.matches(r"\bnot\b") else not fine
        text = f"{'Yes' if value else 'No'}: {text[0].lower() if text.startswith('No ') else text[0]}{text[1:]}"
    return Answer(
        "answer",
        text,
        intent="critical_insights",
        value=value,
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("problem",)),
        named=asked.named,
        proposals=(Proposal("pane", "open the problems", name="problems"),),
    )


def _where(asked: Asked, severity: str | None) -> list[Condition]:
    where: list[Condition] = called(asked, "cloud", "cloud")
    for own in called(asked, "project_name", "project"):
        where.append(AnyOf((own, *(Test("title", "contains", (one.name,)) for one in asked.of_type("project")[:5]))))
    things = asked.of_type("server", "volume", "hypervisor")
    if things:
        ids = tuple(dict.fromkeys(one.key[2] for one in things))
        titles = tuple(Test("title", "contains", (one.name,)) for one in things[:5])
        where.append(AnyOf((Test("resource_id", "=", ids), *titles)))
    if severity:
        where.append(Test("severity", "=", (severity,)))
    return where


def _states(asked: Asked) -> tuple[str, bool]:
    """(what the named machines, hosts and volumes say of themselves, whether that is well)."""
    said, well = [], True
    for one in asked.of_type("server", "volume", "hypervisor")[:3]:
        columns = ("name", "state", "status") if one.type == "hypervisor" else ("name", "status")
        for row in fetch(asked, one.type, Test("id", "=", (one.key[2],)), columns=columns).rows[:1]:
            held = [str(row[column]) for column in columns[1:]]
            well = well and not any(word in " ".join(held).lower() for word in ("error", "down", "disabled", "shutoff"))
            said.append(f"{clean(one.name)} is {' and '.join(clean(word) for word in held)}. ")
    return "".join(said), well


def _text(asked: Asked, every: Result, severity: str | None) -> str:
    count = Counter(str(row["severity"]) for row in every.rows)
    muted = sum(1 for row in every.rows if row["muted_until"])
    about = f" about {listed([clean(one.name) for one in asked.named[:3]])}" if asked.named else ""
    kind = f"{severity + ' ' if severity else ''}problem"
    if every.total == 0:
        return f"No {kind} is known{about}."
    titles = [clean(str(row["title"]), 120) for row in every.rows[:5]]
    more = f" and {every.total - 5} more" if every.total > 5 else ""
    each = ", ".join(f"{count[one]} {one}" for one in ("critical", "warning", "info") if count[one])
    silenced = f" {muted} of them {'is' if muted == 1 else 'are'} muted." if muted else ""
    by = "" if severity else f" ({each})"
    return f"{plural(every.total, kind)}{about}{by}: {', '.join(titles)}{more}.{silenced}"


TOPIC = Topic("critical_insights", _claims, telling(_answer, _KNOWN))
