"""Makes docs/drift.md: rules, states, grades and actors, out of the declarations that the engine works by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.drift import causes
from engine.drift.models import GRADE_MEANING, GRADE_WORDS, GRADES
from engine.drift.rules import RULES, Rule

_HEAD = """# Drift

<!-- Generated from engine/drift; a test keeps it current. -->

A listing shows a resource; the next one shows it with another value. Where a rule watches that value, this is an
event: what, from, to, how bad, whose, between which two listings, and who did it as far as any record says.

## When there is an event

- Each listing that brought rows is compared with the latest version of every resource, per field, within a second of
  its end. The first listing of a type is the baseline and makes no events; so is the first one by an account that
  sees more. A listing that failed or broke off never tells of a deletion.
- A first assignment (no value, then one) is no drift, and losing a value is; rules marked "first too" tell the first
  one as well. A value that the account may not see is no value, and neither is one that a service did not answer.
- States on the way (BUILD, RESIZE, `detaching`, ...) are looked through: ACTIVE, RESIZE, ACTIVE is no drift.
- The order of a list means nothing.
- One deviation is told once, however often it is looked at. When an old value is back, its event resolves by itself,
  and those of the values in between. Of severity warning or critical it then waits as "resolved, not seen" until
  somebody acknowledges it.
- When a resource is gone, whatever deviated of it is over, and the deletion is told instead.
- The same change again within 24 hours opens the same event and counts; three times within 24 hours is flapping.
- A flip that happens and is undone between two listings is seen by none of them. Neutron counts every write
  (`revision_number`), so there it is told that something was changed and changed back (severity info), and how often.
- Rule 1 compares what a server carries of its flavor (name, vCPUs, memory, disks, extra specs), because its id is not
  in the list: a flavor that is made anew with the same size is no drift of its servers.

## States

| state | what it means |
|---|---|
| open | the value still deviates |
| resolved, not seen | it went back by itself and nobody has looked; warning and critical only |
| acknowledged | accepted by somebody, for good or for a while; undone or run out, the event is open again |
| expected | a job of this console did it, and it is not broken since |
| ignored | its rule is off, an entry fits it, or it can have happened in a maintenance window |
| resolved | over, and of severity info; or followed by another change that is told |

The first two are the triage. An accepted value is the new rule: going back from it is a change again. A state that
moves by itself (marked so below) just comes back.

Entries ignore by name, tag, project, cloud, type, field, rule or severity, also what is there already, for as long as
they are there. A maintenance window covers what may have changed in it: from the last listing that showed the old
value to the one that showed the new one is a span, and one that touches the window is covered, also after the window
has ended.

"""

_WHO = """## Who did it

| grade | what it says |
|---|---|
{grades}

Nothing is guessed. Candidates lie between the start of the last listing that showed the old value and the end of the
one that showed the new one (two seconds of leeway for clocks), and each must be able to cause this field and this
value:

| Nova's action | explains |
|---|---|
{actions}

Any of them may also leave a machine in ERROR, and an action that failed explains nothing else. Nova does not record a
new name, metadata, tags or security groups; of Cinder, Neutron, Glance and Keystone only the creator and the time are
known. Those are unknown, and an event shows "created by" where the creator is known. `extend_volume` is recorded as
done by Cinder's service user, so it names a service, never a person.

A request that this console sent is in its own audit with the id that the cloud gave it: those are certain. For what
Nova does not record, our own request counts when it set this field of this resource to this value.

Reading Nova's actions costs one call a machine. `drift.calls` of them (200) are spent on one cloud within one
interval of collections, the most severe events first; the others are asked about when somebody opens the event ("not
asked yet").

### What is printed for what

| change | events (rule) | grade | actor |
|---|---|---|---|
{examples}

"The person" is the user that Nova names for the action. With two such actions between the same two listings the grade
is "one of", and both are listed. Everything done by a job of this console is certain, with its person and job.

### Closing the gap

An operator who keeps API access logs or notifications can let them be read:

```toml
[[drift.sources]]
cloud = "prod"
path = "/var/log/remote/neutron-api.log"   # followed, also when it is rotated
service = "network"                        # only where the paths in it do not say so
```

Understood are access logs of OpenStack's services (they name user and request), the combined log of a web server (it
names nobody), CADF events of the audit filter, and notifications of Neutron and Cinder as JSON lines. Syslog and
message queues reach it through a forwarder that writes such a file, or sends lines to `POST /q/drift/records`
(`{{"cloud": "prod", "lines": [...]}}`, permission drift:admin). Records are kept in memory for a day; an event that
was unknown is judged again when one arrives. A log line without a body does not say which field was set: one write to
the resource in the span is "from the cloud", several are "one of".

"""


@dataclass(frozen=True, slots=True)
class Example:
    """A change that somebody makes by the cloud's own means: its events (rules), and what is said of who did it."""

    change: str
    rules: tuple[int, ...]
    grade: str
    actor: str


_PERSON, _NOBODY, _SERVICE = "the person", "", "the service's user, marked as a service"
EXAMPLES: tuple[Example, ...] = (
    Example("resize, confirmed", (1,), "cloud", _PERSON),
    Example("the same, when it went to another host", (4,), "cloud", _PERSON),
    Example("stop", (2, 3), "cloud", _PERSON),
    Example("its ports, where Neutron tells that they are down", (14,), "cloud", _PERSON),
    Example("rename a server", (102,), "unknown", _NOBODY),
    Example("metadata of a server", (101,), "unknown", _NOBODY),
    Example("delete a server", (103,), "cloud", _PERSON),
    Example("volume of a deleted server", (6, 7), "cloud", _PERSON),
    Example("floating IP of a deleted server", (16, 17, 18), "cloud", _PERSON),
    Example("detach a volume", (6, 7), "cloud", _PERSON),
    Example("extend an attached volume", (8,), "service", _SERVICE),
    Example("extend a volume that is attached to nothing", (8,), "unknown", _NOBODY),
    Example("retype a volume", (9,), "unknown", _NOBODY),
    Example("delete a volume that is attached to nothing", (110,), "unknown", _NOBODY),
    Example("gateway of a subnet", (22,), "unknown", _NOBODY),
    Example("DHCP of a subnet", (24,), "unknown", _NOBODY),
    Example("DHCP off and on between two listings", (134,), "unknown", _NOBODY),
    Example("take a floating IP from its port", (16, 17, 18), "unknown", _NOBODY),
    Example("description of a security group", (19,), "unknown", _NOBODY),
    Example("add a rule to a security group", (172,), "unknown", _NOBODY),
    Example("remove a rule from a security group", (173,), "unknown", _NOBODY),
    Example("limit of a quota", (202,), "unknown", _NOBODY),
    Example("grant a role", (190,), "unknown", _NOBODY),
)


def markdown() -> str:
    """The whole page."""
    parts = [_HEAD, "## The 24 documented rules\n\n", _table(r for r in RULES.values() if r.documented)]
    parts += ["\n## Rules for what they miss\n\n", _table(r for r in RULES.values() if not r.documented), "\n"]
    grades = "\n".join(f"| {GRADE_WORDS[grade]} | {GRADE_MEANING[grade]} |" for grade in GRADES)
    actions = "\n".join(f"| `{name}` | {_effects(name)} |" for name in causes.NOVA)
    examples = "\n".join(
        f"| {one.change} | {'; '.join(f'{RULES[number].name} ({number})' for number in one.rules)} "
        f"| {GRADE_WORDS[one.grade]} | {one.actor or 'nobody is named'} |"
        for one in EXAMPLES
    )
    parts.append(_WHO.format(grades=grades, actions=actions, examples=examples))
    return "".join(parts).rstrip("\n") + "\n"


def _table(rules: Iterable[Rule]) -> str:
    lines = ["| rule | type | field | severity | what it tells | |", "|---|---|---|---|---|---|"]
    for rule in rules:
        notes = [
            words
            for words, there in (
                ("first too", rule.first),
                ("moves by itself", rule.state),
                ("critical when graver", bool(rule.grave)),
            )
            if there
        ]
        told = f"{rule.name}: {rule.description[:1].lower()}{rule.description[1:]}"
        cells = (str(rule.number), rule.type, f"`{rule.field}`", rule.severity, told, ", ".join(notes))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _effects(action: str) -> str:
    """What an action explains, in words."""
    found = []
    for type, field, values in causes.NOVA[action]:
        words = f"{type} `{field}`" + (f" ({', '.join(values)})" if values else "")
        if words not in found:
            found.append(words)
    return ", ".join(found)
