"""Policies that nobody made: what a name alone says. Pure.

Names come from the metadata of volumes and from policy sets that other tools wrote; such a name worked there, so it
works here: its first word tells how often, a number at its end how many are kept.
"""

from __future__ import annotations

import re

from engine.snapshots.models import Policy
from engine.snapshots.policies.words import from_words

LONGEST = 64
KEEP = 7  # of a name that says nothing of it
MOST_KEPT = 1000
# Documented names that say more than their first word.
_DAYS_OF_MONTH = {"monthly_1st": 1, "monthly_15th": 15}
_OFTEN = ("hourly", "daily", "weekly", "monthly", "yearly")


def is_name(text: str) -> bool:
    """Whether this can be the name of a policy: 1 to 64 printable characters, not "," "=" or "/", no space outside."""
    return 0 < len(text) <= LONGEST and text.isprintable() and text == text.strip() and not re.search(r"[,=/]", text)


def made_up(name: str, timezone: str = "UTC") -> Policy:
    """The policy that a name stands for which nobody made: `known` is False."""
    lowered = name.lower()
    if lowered in _DAYS_OF_MONTH:
        cron, keep = from_words(f"monthly {_DAYS_OF_MONTH[lowered]}"), 1
    else:
        often = next((word for word in _OFTEN if lowered.startswith(word)), "daily")
        number = re.search(r"_([0-9]{1,4})$", lowered)
        wanted = int(number[1]) if number else 0
        cron, keep = from_words(often), wanted if 1 <= wanted <= MOST_KEPT else KEEP
    return Policy(name, cron, timezone, keep, known=False, description="Nobody made it: what its name says.")
