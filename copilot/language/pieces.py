"""Small closed lists of English that cutting a question into words needs."""

from __future__ import annotations

WEEKDAYS: dict[str, int] = {  # Monday is 0
    **dict.fromkeys(("monday", "mon", "mondays"), 0),
    **dict.fromkeys(("tuesday", "tue", "tues", "tuesdays"), 1),
    **dict.fromkeys(("wednesday", "wed", "weds", "wednesdays"), 2),
    **dict.fromkeys(("thursday", "thu", "thur", "thurs", "thursdays"), 3),
    **dict.fromkeys(("friday", "fri", "fridays"), 4),
    **dict.fromkeys(("saturday", "sat", "saturdays"), 5),
    **dict.fromkeys(("sunday", "sun", "sundays"), 6),
}
MONTHS: dict[str, int] = {
    **dict.fromkeys(("january", "jan"), 1),
    **dict.fromkeys(("february", "feb"), 2),
    **dict.fromkeys(("march", "mar"), 3),
    **dict.fromkeys(("april", "apr"), 4),
    "may": 5,
    **dict.fromkeys(("june", "jun"), 6),
    **dict.fromkeys(("july", "jul"), 7),
    **dict.fromkeys(("august", "aug"), 8),
    **dict.fromkeys(("september", "sep", "sept"), 9),
    **dict.fromkeys(("october", "oct"), 10),
    **dict.fromkeys(("november", "nov"), 11),
    **dict.fromkeys(("december", "dec"), 12),
}

# What may be glued to a number, and what it measures: both sides of "4gb-8gb" measure the same.
SHORT_UNITS: dict[str, str] = {
    **dict.fromkeys(("b", "byte", "bytes", "k", "kb", "kib", "m", "mb", "mib", "meg", "megs", "g", "gb"), "size"),
    **dict.fromkeys(("gib", "gig", "gigs", "giga", "t", "tb", "tib", "tera", "teras", "pb", "pib"), "size"),
    **dict.fromkeys(("megabyte", "megabytes", "gigabyte", "gigabytes", "terabyte", "terabytes"), "size"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes"), "span"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "d", "day", "days", "w", "wk", "wks", "week", "weeks"), "span"),
    **dict.fromkeys(("mo", "mos", "month", "months", "y", "yr", "yrs", "year", "years"), "span"),
    **dict.fromkeys(("am", "pm"), "clock"),
    **dict.fromkeys(("cpu", "cpus", "vcpu", "vcpus", "core", "cores"), "cpu"),
    **dict.fromkeys(("pct", "percent"), "percent"),
    **dict.fromkeys(("vm", "vms", "x"), "count"),
}

RANKING = frozenset(
    {"top", "last", "past", "first", "bottom", "next", "latest", "newest", "oldest", "largest", "biggest"}
)

ENDINGS: dict[str, str] = {"s": "is", "re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am"}

# Written out: after "'s" (where it is no possessive), and before "n't".
JOINED: dict[str, str] = {
    **dict.fromkeys(("what", "who", "where", "when", "how", "why", "which", "that", "there", "here"), "is"),
    **dict.fromkeys(("it", "he", "she", "everything", "anything"), "is"),
    "let": "us",
}
BEFORE_NOT: dict[str, str] = {"ca": "can", "wo": "will", "sha": "shall", "ai": "is"}

# Without an apostrophe; "part=meant" for each part.
CONTRACTED: dict[str, tuple[str, ...]] = {
    **{f"{word}s": (f"{word}={word}", "s=is") for word in ("what", "who", "where", "when", "how", "that", "there")},
    **{
        f"{word}nt": (f"{word}={word}", "nt=not")
        for word in ("is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "should", "could", "would")
    },
    **{
        f"{which}{unit}": (f"{which}={which}", f"{unit}={unit}")
        for which in ("last", "this", "next", "past")
        for unit in ("night", "week", "month", "year", "weekend", "hour")
    },
    "cant": ("ca=can", "nt=not"),
    "wont": ("wo=will", "nt=not"),
    "aint": ("ai=is", "nt=not"),
    "cannot": ("can=can", "not=not"),
    "lets": ("let=let", "s=us"),
    "gimme": ("gim=give", "me=me"),
    "lemme": ("lem=let", "me=me"),
    "howmany": ("how=how", "many=many"),
    "howmuch": ("how=how", "much=much"),
    "im": ("i=i", "m=am"),
    "ive": ("i=i", "ve=have"),
    "and/or": ("and/or=or",),
    "w/o": ("w/o=without",),
    "w/out": ("w/out=without",),
    "w/": ("w/=with",),
}

# Plain words of compounds that operators write with a hyphen or an underscore. None of them is likely to be a part of a
# name by itself ("web", "db", "test", "prod" are not among them). Words with digits that are no names stand here too.
_PLAIN = """
a all an any at attached auto availability available backed balancer balancers based big biggest boot bootable booted
build built busy by committed cpu cpus created critical current currently day days deleted detached disk down encrypted
error errored errors external fault fixed flavor flavors flavour flavours floating for free from group groups gpu half
ha hard heavy high highest host hosts hour hours how id ids image images in inactive instance instances internal ip ips
ipv4 ipv6 is key keys large largest last latest least less level live lived loaded long low lowest many memory migrating
migrate minute minutes month months more most much multi name named names network networks new newest no non not of
off old oldest on only or orphan orphaned out over overcommitted owned pair pairs per pool pools port ports power
powered powering project projects protected provider provisioned public quota quotas ram read reboot rebuild recent
recently running secure security self server servers service services sharing shared shelved short shut shutdown
size sized small smallest snapshot snapshots state states status stopped storage subnet subnets suspended tenant
tenants the time to top type types under unused up uptime usage used user users utilised utilized v4 v6 vcpu vcpus
virtual vm vms volume volumes wide with without write writeable year years zone zones x86 s3
"""
_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBER_WORDS: dict[str, int] = {
    **{one: value for value, one in enumerate(_UNITS.split())},
    **{one: 10 * value for value, one in enumerate(_TENS.split(), start=2)},
}

NOT_NAMES = frozenset(_PLAIN.split()) | frozenset(NUMBER_WORDS) | {"hundred", "thousand", "dozen", "couple"}
