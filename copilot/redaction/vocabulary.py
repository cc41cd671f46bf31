"""Words that stay when everything else is hidden: the console's own, SQL's, states and plain English of questions.

They are the same for every estate, so that one of them says nothing about this one, even where something is called so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from store.types import actions, registry

_SQL = """
    select from where and or not in is null like ilike between exists case when then else end as on join left right
    inner outer full cross using group by order having limit offset asc desc distinct union all except intersect with
    count sum avg min max coalesce cast timestamp date interval true false varchar bigint double boolean over partition
    rows star lower upper length round list contains unnest filter nulls first last integer text any some
"""
_ENGLISH = """
    i you he she we us our my me mine your yours them their its who whom whose which what when where why how please yes
    no ok thanks hi hello same other others another such only just still yet already again ever never always often
    very too quite rather enough almost about around since until because so if then than also but however although
    while whether either neither both each every few several many much more most less least own use uses user using
    work works working run runs go goes going went take takes took get gets got getting make makes made making see sees
    seen look looks looking know want wants need needs needed help tell say says said mean means call called keep kept
    let put set start starts started stop stops stopped begin began end ends ended come comes came leave left do does
    did done doing is are was were be been being am has have had can could may might must shall should will would
    thing things way kind kinds part parts place places people person team nobody anyone someone something anything
    nothing everything everyone good bad better best worse worst big bigger biggest small smaller smallest high higher
    highest low lower lowest long longer longest short shorter shortest fast slow hot cold early late later latest next
    previous former current currently recent recently one two three four five six seven eight nine ten hundred thousand
    half double single pair dozen per total overall average mean median share percent ratio rate built drill down up
    out off on non not pre post re self multi over under read write written able unable possible likely safe unsafe
    question answer result results row rows column columns table value values query queries view views fact facts
    january february march april june july august september october november december morning evening night noon
    weekend today yesterday tomorrow mon tue wed thu fri sat sun utc week weeks
"""
_STATES = """
    active inactive build building rebuild rescue resize verify_resize shutoff suspended paused deleted soft_deleted
    shelved shelved_offloaded migrating password reboot hard_reboot revert_resize unknown error creating available
    reserved attaching detaching in-use maintenance deleting awaiting-transfer error_deleting error_managing
    error_restoring backing-up restoring-backup error_backing-up error_extending downloading uploading retyping
    extending queued saving importing deactivated killed pending_delete down up enabled disabled success failed
    succeeded running waiting cancelled stopped warning critical info ok notice degraded healthy unhealthy open
    acknowledged resolved qcow2 raw vmdk vhd vdi iso ami aki ari bare ovf docker public private shared community tcp
    udp icmp icmpv6 ipv4 ipv6 ingress egress internal admin_state vxlan vlan gre flat geneve qemu kvm ovs linux windows
    ssh x509 normal direct macvtap true false none null on off nostate crashed affinity anti-affinity soft-affinity
    soft-anti-affinity discovered created changed returned member reader compute volume network image identity
"""
_KEYS = """
    ok note columns rows total complete units error question now selected earlier_questions read_so_far understood
    not_understood scope type name ref refs views lists entities relations proposed text at filter pane sql values
    action entity where measure measured group order limit column operator not relation comparison count view varchar
    tool arguments result result_of key keys item items more gone says from to named typed domain id ids
"""
# Plain words that tenants like to call things: they must not slip in with the words of the copilot's own sentences.
_NAMES = """
    test tests testing web www prod production dev develop staging stage demo lab labs db database api app apps mail
    admin backup main master qa internal external example ubuntu debian centos
"""
_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_NUMBER = re.compile(
    r"[+-]?\d{1,4}%?|[+-]?\d+[.,]\d+%?|\d{1,3}(?:,\d{3})+"
    r"|\d+(?:\.\d+)?(?:[kmgtp]i?b?|b|ms|s|min|h|d|w|x|st|nd|rd|th)"
)
_TIME = re.compile(
    r"\d{4}-\d\d(?:-\d\d)?(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:[ap]m)?|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}[ap]m",
    re.IGNORECASE,
)


@cache
def words() -> frozenset[str]:
    """All words that stay, lower case; those with signs in them also whole."""
    from copilot.backends import prompts, results, tools
    from copilot.linking.plain import PLAIN
    from copilot.model.registry import entities

    found = {one for text in (_SQL, _ENGLISH, _STATES, _KEYS) for one in text.split()} | set(PLAIN)
    for type in registry.ALL.values():
        found |= {type.name, type.plural, *(one.name for one in type.view_columns)}
    for entity in entities().values():
        found |= {entity.name, *entity.words, *entity.plural_words, *entity.attributes, *entity.relations}
        found |= {one.column for one in entity.attributes.values()}
    for action in actions.ACTIONS.values():
        found |= {action.id, *(option.name for option in action.options)}
    said = [prompts.UNVERIFIED, prompts.ANSWER_NOW, results.NOTE, *tools.DOING.values()]
    found |= {word for text in said for word in _WORD.findall(text)}
    declared = {one for type in registry.ALL.values() for one in (type.name, *(c.name for c in type.view_columns))}
    slipped = set(_NAMES.split()) - declared
    return frozenset(word for word in _parts(found) - slipped if not word.isdecimal())


def _parts(texts: Iterable[str]) -> set[str]:
    lower = {text.lower() for text in texts}
    return lower | {part for text in lower for part in _WORD.findall(text)}


def is_listed(text: str) -> bool:
    """Whether it is one of the words, just so."""
    return text.lower() in words()


def is_word(text: str) -> bool:
    """Whether it is one of the words, alone or several joined by signs ("floating-ip", "verify_resize")."""
    lower = text.lower()
    if lower in words():
        return True
    return _JOINED.fullmatch(lower) is not None and all(part in words() for part in _WORD.findall(lower))


def is_number(text: str) -> bool:
    """Whether it is a number of at most four digits, one with a point or a unit, a date or a time of day."""
    return bool(_NUMBER.fullmatch(text.lower()) or _TIME.fullmatch(text))


def stays(text: str) -> bool:
    """Whether a whole value tells nothing: words, numbers, times, and blanks or signs between them."""
    if is_word(text) or is_number(text) or not text.strip():
        return True
    return len(text) <= 60 and text.isascii() and all(is_word(one) or is_number(one) for one in text.split())
