"""Snapshot compliance: whether what policies promise is kept, how much is covered, what is late."""

from __future__ import annotations

from collections import Counter

from copilot.answering.wording import clean
from copilot.answers import Answer, Proposal
from copilot.execution.result import Result, percent
from copilot.query import EVERYTHING, Condition, Not, Test, both
from copilot.topics.listing import called, fetch, plural, shown, table
from copilot.topics.speech import Knows, Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_WORDS = r"\b(compliance|compliant|complaint|complience|noncompliant|non-compliant|rpo|coverage|violate|violates|" \
         r"violating|violated|violation|violations|comply|complies|breach|breaches|breaching|overdue)\b"  # fmt: skip
_LATE = r"\b(violat\w+|overdue|breach\w*|not (\w+ )?(compliant|complaint|comply|complying|in compliance)|" \
        r"non ?compliant|noncompliant|out of compliance|do(es)? not comply)\b"  # fmt: skip
_VOLUMES = ("volume", "volumes", "disks", "disk")
_KNOWN = knows(
    "compliance compliant complaint complience noncompliant non rpo coverage violate violates violating violated "
    "violation violations comply complies complying breach breaches breaching report summary status overview snapshot "
    "snapshots backup backups policy policies volume volumes disk disks percent percentage % rate share not kept met "
    "number count their its out current overall state protection total level good we cloud as of is figures full "
    "fraction schedule promise promises overdue late most which project rules against to how volmues data",
    ("project", "server", "cloud"),
)
_GOVERNED = Not(Test("status", "=", ("no_policy", "excluded")))
_NOTHING = r"\bneither\b.*\b(snapshots?\b.*\bnor\b.*\bbackups?|backups?\b.*\bnor\b.*\bsnapshots?)\b"
_ALL_BACKED = (
    r"^(so |and )?(is|are) (everything|all|all data|all our data|our data|it all|we)( all)? "
    r"(backed up|protected|covered|safe)$"
)
_BARE = knows("neither nor without no snapshot snapshots backup backups volume volumes disk disks have has or and any "
              "that which with not a single", ("project", "cloud"))  # fmt: skip


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if heard.matches(_ALL_BACKED):
        return 1.0
    if heard.matches(_WORDS) and not asked.parse.groups and not asked.of_type("volume"):
        return _KNOWN.claim(asked)
    if heard.has(*_VOLUMES) and heard.matches(_NOTHING):
        return _BARE.claim(asked, 1.0)
    return 0.0


def _known(asked: Asked) -> Knows:
    if Speech.of(asked).matches(_ALL_BACKED):
        return Knows(frozenset(["everything", "data", "backed", "up", "protected", "covered", "safe"]))
    return _KNOWN if Speech.of(asked).matches(_WORDS) else _BARE


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    if heard.matches(_ALL_BACKED):
        return _everything(asked)
    if not heard.matches(_WORDS):
        return _with_nothing(asked, heard)
    scope = called(asked, "project_name", "project") + called(asked, "cloud", "cloud")
    scope += called(asked, "server_name", "server")
    if heard.matches(_LATE):
        return _chosen(asked, heard, [*scope, Test("status", "=", ("missing", "quota_blocked"))], "late")
    if heard.has("compliant", "complaint", "comply", "complies") and heard.has(*_VOLUMES) and not heard.has(
        "percent", "percentage", "%", "share", "rate", "fraction"
    ):  # fmt: skip
        return _chosen(asked, heard, [*scope, Test("status", "=", ("compliant",))], "in compliance")
    return _summary(asked, heard, scope)


def _chosen(asked: Asked, heard: Speech, where: list[Condition], said: str) -> Answer:
    result = fetch(asked, "compliance", both(*where))
    names = [clean(str(row["volume_name"])) for row in result.rows[:5]]
    more = f" and {result.total - 5:,} more" if result.total > 5 else ""
    policy = "with their snapshot policy" if said == "in compliance" else "by their snapshot policy"
    text = f"{plural(result.total, 'volume is', 'volumes are')} {said} {policy}: {', '.join(names)}{more}."
    if not result.total:
        text = f"None: no volume is {said} {policy}."
    counted = asked.parse.wh == "how_many" or heard.matches(r"^(how many|number of|count)\b")
    return Answer(
        "answer",
        text,
        intent="compliance_summary",
        value=result.total if counted else None,
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("compliance",)),
        proposals=(Proposal("pane", "open the compliance", name="compliance"),),
    )


def _summary(asked: Asked, heard: Speech, scope: list[Condition]) -> Answer:
    late = fetch(asked, "compliance", both(*scope, Test("status", "=", ("missing", "quota_blocked"))))
    counts = _counts(asked, scope)
    whole, governed = sum(counts.values()), sum(counts.values()) - counts["no_policy"] - counts["excluded"]
    share = percent(counts["compliant"], governed)
    held = fetch(asked, "compliance", both(*scope, Not(Test("cover", "=", ("nothing",)))), limit=1).total
    coverage = percent(held, whole)
    if not whole:
        return Answer("answer", "None: there are no volumes.", intent="compliance_summary")
    kept = f"{counts['compliant']:,} of {plural(governed, 'volume')} under a snapshot policy are compliant"
    text = (
        f"{kept} ({share:g}%)."
        if share is not None
        else f"None of {plural(whole, 'volume')} is under a snapshot policy."
    )
    behind = counts["missing"] + counts["quota_blocked"]
    text += f" Late: {behind:,}; not due yet: {counts['pending']:,}; without a policy: {counts['no_policy']:,}."
    text += f" {held:,} of all {whole:,} have a snapshot or backup ({coverage:g}%)."
    if heard.has("rpo"):
        text = f"RPO (a new restore point within each policy's window): {text[0].lower()}{text[1:]}"
    return Answer(
        "answer",
        text,
        intent="compliance_summary",
        value=coverage if heard.has("coverage") else share,
        unit="%",
        table=table(late) if late.total else None,
        shown=shown(late),
        data_at=asked.sources.data_at(("compliance",)),
        proposals=(Proposal("pane", "open the compliance", name="compliance"),),
    )


def _counts(asked: Asked, scope: list[Condition]) -> Counter[str]:
    from copilot.execution.run import run
    from copilot.query import Measure, Query

    where = both(*scope) if scope else EVERYTHING
    query = Query("compliance", where, Measure("count"), group=("status",))
    result: Result = run(query, asked.sources, asked.context.now)
    return Counter({str(row["status"]): int(row["#"]) for row in result.rows})


def _everything(asked: Asked) -> Answer:
    """ "is everything backed up": whether every volume has a snapshot or backup."""
    bare = fetch(asked, "volume", Not(Test("protected", "=", (True,))))
    whole = fetch(asked, "volume", limit=1).total
    names = [clean(str(row["name"])) for row in bare.rows[:5]]
    more = f" and {bare.total - 5:,} more" if bare.total > 5 else ""
    text = (
        f"No: {bare.total:,} of {plural(whole, 'volume')} have neither snapshot nor backup: {', '.join(names)}{more}."
    )
    return Answer(
        "answer",
        text if bare.total else f"Yes: all {plural(whole, 'volume')} have a snapshot or a backup.",
        intent="backup_status",
        value=bare.total == 0,
        table=table(bare),
        shown=shown(bare),
        data_at=asked.sources.data_at(("volume", "snapshot", "backup")),
    )


def _with_nothing(asked: Asked, heard: Speech) -> Answer:
    where = [
        Test("snapshot_count", "=", (0,)),
        Test("backup_count", "=", (0,)),
        *called(asked, "project_name", "project"),
    ]
    result = fetch(asked, "volume", both(*where, *called(asked, "cloud", "cloud")))
    names = [clean(str(row["name"])) for row in result.rows[:5]]
    more = f" and {result.total - 5:,} more" if result.total > 5 else ""
    text = f"{plural(result.total, 'volume has', 'volumes have')} neither a snapshot nor a backup"
    counted = heard.matches(r"^(how many|number of|count)\b")
    return Answer(
        "answer",
        f"{text}: {', '.join(names)}{more}." if names else "None: every volume has a snapshot or a backup.",
        intent="backup_status",
        value=result.total if counted else None,
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("volume", "snapshot", "backup")),
    )


TOPIC = Topic("compliance_summary", _claims, telling(_answer, _known))
