"""Bodies of the API of snapshot policies, and the shapes of its answers.

Values are checked for size and kind here; what needs the other rows (names that are taken, tenants of the caller) is
checked by the service.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from engine.snapshots.models import Method
from engine.snapshots.policies.naming import LONGEST, MOST_KEPT, is_name
from engine.snapshots.policies.schedule import check_zone, parse


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(
            f"is no name of a policy: 1 to {LONGEST} printable characters, without comma, = and /, no space around"
        )
    return text


def _printable(text: str) -> str:
    if not all(character.isprintable() or character in "\n\t" for character in text):
        raise ValueError("has characters that cannot be shown")
    return text


PolicyName = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_name)]
Short = Annotated[str, Field(max_length=255), AfterValidator(_printable)]
Words = Annotated[str, Field(max_length=1000), AfterValidator(_printable)]
Cloud = Annotated[str, Field(max_length=63), AfterValidator(_printable)]
Id = Annotated[str, Field(max_length=64), AfterValidator(_printable)]
Keep = Annotated[int, Field(ge=1, le=MOST_KEPT, strict=True)]
Size = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]
Pairs = Annotated[dict[Short, Short], Field(min_length=1, max_length=20)]
MOST_AT_ONCE = 1000  # volumes of one assignment


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PolicyChange(_Body):
    """What may be changed of a policy; what is left out stays. `schedule`: cron, or words such as "daily 02:00"."""

    schedule: Annotated[str, Field(max_length=255), AfterValidator(parse)] = "0 2 * * *"
    timezone: Annotated[str, Field(max_length=64), AfterValidator(check_zone)] = "UTC"
    keep: Keep = 7
    jitter_minutes: Annotated[int, Field(ge=0, le=1440, strict=True)] = 0
    catch_up_hours: Annotated[float, Field(ge=0.25, le=9000, allow_inf_nan=False)] | None = None
    window_hours: Annotated[float, Field(ge=0.25, le=90_000, allow_inf_nan=False)] | None = None
    method: Method = "volume"
    group_type: Short = ""
    enabled: Annotated[bool, Field(strict=True)] = True
    description: Words = ""


class PolicyBody(PolicyChange):
    """A new policy."""

    name: PolicyName
    schedule: Annotated[str, Field(max_length=255), AfterValidator(parse)]


class Match(_Body):
    """What a volume must be; every key that is given must hold."""

    tenant_name: Short | None = None
    domain_name: Short | None = None
    volume_type: Short | Annotated[list[Short], Field(min_length=1, max_length=50)] | None = None
    volume_name_prefix: Short | None = None
    volume_name_contains: Short | None = None
    bootable: Annotated[bool, Field(strict=True)] | None = None
    min_size_gb: Size | None = None
    max_size_gb: Size | None = None
    metadata_equals: Pairs | None = None
    metadata_contains: Pairs | None = None

    @model_validator(mode="after")
    def _sizes(self) -> Match:
        least, most = self.min_size_gb, self.max_size_gb
        if least is not None and most is not None and least > most:
            raise ValueError("min_size_gb is greater than max_size_gb: no volume can match")
        return self

    def given(self) -> dict[str, Any]:
        """What is given, as it is kept."""
        return self.model_dump(exclude_none=True)


class SetChange(_Body):
    """What may be changed of a policy set; what is left out stays. "" and null stand for any."""

    name: Annotated[Short, Field(min_length=1)] = ""
    description: Words | None = ""
    is_global: Annotated[bool, Field(strict=True)] = False
    tenant_id: Id | None = ""
    tenant_name: Short | None = ""
    cloud: Cloud | None = ""
    region: Short | None = ""
    match: Match = Field(default_factory=Match)
    policies: Annotated[list[PolicyName], Field(min_length=1, max_length=20)] = Field(default_factory=list)
    retention_map: Annotated[dict[PolicyName, Keep], Field(max_length=20)] = Field(default_factory=dict)
    priority: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 100
    is_active: Annotated[bool, Field(strict=True)] = True

    def values(self, *, whole: bool) -> dict[str, Any]:
        """What is given, as it is kept; `whole`: with the defaults of what is not."""
        dumped = self.model_dump(exclude_unset=not whole)
        found = {name: "" if value is None else value for name, value in dumped.items()}
        if "match" in found:
            found["match"] = self.match.given()
        if "policies" in found:
            found["policies"] = list(dict.fromkeys(self.policies))
        return found


class SetBody(SetChange):
    """A new policy set."""

    name: Annotated[Short, Field(min_length=1)]
    policies: Annotated[list[PolicyName], Field(min_length=1, max_length=20)]


class PreviewBody(SetChange):
    """A set as it would be: a new one, or (with `id`) one that there is, with these changes."""

    id: int | None = None
    name: Short = "this set"


class AssignmentBody(_Body):
    """A set, or policies, for one volume or many. `keep` and `retention_map`: how many are kept, of these policies."""

    volume_id: Id | None = None
    volume_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None
    cloud: Cloud | None = None
    region: Short | None = None
    policy_set_id: int | None = None
    policy: PolicyName | None = None
    policies: Annotated[list[PolicyName], Field(min_length=1, max_length=20)] | None = None
    keep: Keep | None = None
    retention_map: Annotated[dict[PolicyName, Keep], Field(max_length=20)] = Field(default_factory=dict)
    reason: Words = ""

    @model_validator(mode="after")
    def _one_of_each(self) -> AssignmentBody:
        if (self.volume_id is None) == (self.volume_ids is None):
            raise ValueError("give volume_id or volume_ids")
        if (self.policy_set_id is None) == (not self.names()):
            raise ValueError("give policy_set_id, or policy or policies")
        if self.policy_set_id is not None and (self.keep is not None or self.retention_map):
            raise ValueError("how many are kept belongs to policies; of a set, its retention_map says it")
        if stray := set(self.retention_map) - set(self.names()):
            raise ValueError(f"retention_map names {sorted(stray)[0]!r}, which is not among the policies")
        return self

    def names(self) -> list[str]:
        """Names of the policies, without repeats."""
        return list(dict.fromkeys([*([self.policy] if self.policy else []), *(self.policies or [])]))

    def ids(self) -> list[str]:
        """Ids of the volumes, without repeats."""
        return list(dict.fromkeys(self.volume_ids or [self.volume_id or ""]))


class ExclusionChange(_Body):
    """What may be changed of an exclusion; what is left out stays."""

    reason: Annotated[Words, Field(min_length=1)] = ""
    expires_at: Annotated[str, Field(max_length=40)] | None = None


class ExclusionBody(ExclusionChange):
    """What no policy shall take: a volume, a tenant, what matches, or several of them, which must all hold."""

    reason: Annotated[Words, Field(min_length=1)]
    volume_id: Id = ""
    tenant_id: Id = ""
    tenant_name: Short = ""
    match: Match = Field(default_factory=Match)
    cloud: Cloud = ""
    region: Short = ""
    source: Literal["manual", "api"] = "manual"

    @model_validator(mode="after")
    def _something(self) -> ExclusionBody:
        if not (self.volume_id or self.tenant_id or self.tenant_name or self.match.given()):
            raise ValueError("name a volume, a tenant, or what volumes must match")
        return self


class WriteBody(_Body):
    """Volumes whose metadata shall say what was decided for them."""

    volume_ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]
    cloud: Cloud | None = None
    region: Short | None = None
    reason: Words = ""
    ticket: Short = ""
