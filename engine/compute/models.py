"""What every documented change may be given beside its own fields, and the bodies of the changes of flavors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=255)]
Words = Annotated[str, Field(max_length=1000)]


class Given(BaseModel):
    """Where, why, and what was typed. Taken from the query, or for what is created from the body.

    cloud, region   where: may be left out when there is only one
    reason, ticket  as the configuration of the cloud asks for them
    typed           for clouds marked production: the phrase that a plan of the same change asks for
    """

    model_config = ConfigDict(extra="forbid")

    cloud: Annotated[str | None, Field(max_length=63)] = None
    region: Text | None = None
    reason: Words = ""
    ticket: Text = ""
    typed: Words = ""

    def over(self, other: Given) -> Given:
        """This one, with what it leaves out taken from `other`."""
        return Given(**{name: getattr(self, name) or getattr(other, name) for name in Given.model_fields})


def given(
    cloud: Annotated[str | None, Query(max_length=63, description="Where; needed when there are several.")] = None,
    region: Annotated[str | None, Query(max_length=255, description="Where; needed when there are several.")] = None,
    reason: Annotated[str, Query(max_length=1000, description="Why; kept in the audit.")] = "",
    ticket: Annotated[str, Query(max_length=255, description="Under which change; kept in the audit.")] = "",
    typed: Annotated[str, Query(max_length=1000, description="For production clouds: the plan's phrase.")] = "",
) -> Given:
    """From the query."""
    return Given(cloud=cloud, region=region, reason=reason, ticket=ticket, typed=typed)


class FlavorBody(Given):
    """A new flavor: RAM and swap in MB, disk and ephemeral disk in GB."""

    name: Name
    vcpus: int = Field(ge=1)
    ram: int = Field(ge=1, validation_alias=AliasChoices("ram", "ram_mb"))
    disk: int = Field(0, ge=0, validation_alias=AliasChoices("disk", "disk_gb"))
    ephemeral: int = Field(
        0, ge=0, validation_alias=AliasChoices("ephemeral", "ephemeral_gb", "OS-FLV-EXT-DATA:ephemeral")
    )
    swap: int = Field(0, ge=0, validation_alias=AliasChoices("swap", "swap_mb"))
    is_public: bool = Field(True, validation_alias=AliasChoices("is_public", "public", "os-flavor-access:is_public"))
    id: Text | None = Field(None, validation_alias=AliasChoices("id", "flavor_id", "flavorid"))

    def options(self) -> dict[str, Any]:
        """As the action flavor.create takes them."""
        names = ("name", "vcpus", "ram", "disk", "ephemeral", "swap", "id")
        return {name: getattr(self, name) for name in names} | {"public": self.is_public}
