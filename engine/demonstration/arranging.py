"""What the people of the demo have decided about restore points, so that a first look finds something to see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from engine.access.models import ENGINE
from engine.snapshots.policies.models import ExclusionBody, Match, SetBody
from store.times import text, utcnow

if TYPE_CHECKING:
    from engine.snapshots.policies.desk import PolicyDesk

TENANT = "demo"  # the project that the demo's member and reader work in
EVERYWHERE, OF_TENANT = "weekly for everybody", f"nightly for {TENANT}"
SPARE = "-spare-"  # in the names of volumes that hold nothing yet
SPARE_DAYS = 60


def arrange(desk: PolicyDesk) -> None:
    """Make the sets and the exclusion that are missing: an engine that was killed meanwhile comes here again."""
    names = {row["name"] for row in desk.listing.sets(ENGINE)}
    for body in (
        SetBody(
            name=EVERYWHERE, description="What has no policy of its own.", is_global=True,
            policies=["weekly_4"], retention_map={"weekly_4": 4},
        ),
        SetBody(
            name=OF_TENANT, description="The shop's data changes every day.", tenant_name=TENANT,
            policies=["daily_5"], retention_map={"daily_5": 5},
        ),
    ):  # fmt: skip
        if body.name not in names:
            desk.changing.add_set(ENGINE, body)
    if not desk.giving.exclusions(ENGINE):
        spare = ExclusionBody(
            reason="Spare disks are empty; those in use by then get policies of their own (CHG20417).",
            match=Match(volume_name_contains=SPARE), expires_at=text(utcnow() + timedelta(SPARE_DAYS)),
        )  # fmt: skip
        desk.giving.exclude(ENGINE, spare)
