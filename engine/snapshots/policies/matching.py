"""What a set, an exclusion or a match says of a volume, compiled to one test; and how specific it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.snapshots.models import Volume

Test = Callable[[Volume], bool]

# The documented keys, and what each is about. Names are compared without regard to capitals, as Keystone does.
PLACE_KEYS = ("tenant_name", "domain_name")
VOLUME_KEYS = ("volume_type", "volume_name_prefix", "volume_name_contains", "bootable", "min_size_gb", "max_size_gb",
               "metadata_equals", "metadata_contains")  # fmt: skip
MATCH_KEYS = (*PLACE_KEYS, *VOLUME_KEYS)

# The greater is more specific; what names several things is more specific than what names one of them.
OF_VOLUME, OF_TENANT, OF_DOMAIN, OF_REGION, OF_CLOUD = 32, 16, 8, 4, 2
LEVEL_METADATA, LEVEL_ASSIGNMENT, LEVEL_EXCLUSION = 100, 110, 1000
_ABOUT = ((OF_VOLUME, "the volume itself"), (OF_TENANT, "the tenant"), (OF_DOMAIN, "the domain"),
          (OF_REGION, "the region"), (OF_CLOUD, "the cloud"))  # fmt: skip


def specificity(match: Mapping[str, Any], *, tenant: bool, region: bool, cloud: bool) -> int:
    """How much is named: the volume itself, the tenant, the domain, the region, the cloud; 0 = everything."""
    found = OF_VOLUME if any(key in match for key in VOLUME_KEYS) else 0
    found |= OF_TENANT if tenant or "tenant_name" in match else 0
    found |= OF_DOMAIN if "domain_name" in match else 0
    return found | (OF_REGION if region else 0) | (OF_CLOUD if cloud else 0)


def about(level: int) -> str:
    """What a set of this specificity names, as words: "the tenant and the cloud"; "everything" for 0."""
    named = [word for bit, word in _ABOUT if level & bit]
    if not named:
        return "everything"
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def place_tests(match: Mapping[str, Any], cloud: str, region: str, tenant_id: str, tenant_name: str) -> list[Test]:
    """Tests that ask only where a volume is: alike for all volumes of one project in one region."""
    tests: list[Test] = []
    if cloud:
        tests.append(lambda volume: volume.cloud == cloud)
    if region:
        tests.append(lambda volume: volume.region == region)
    if tenant_id:
        tests.append(lambda volume: volume.project_id == tenant_id)
    elif tenant_name:
        tests.append(_named("project_name", tenant_name))
    if "tenant_name" in match:
        tests.append(_named("project_name", match["tenant_name"]))
    if "domain_name" in match:
        tests.append(_named("domain_name", match["domain_name"]))
    return tests


def volume_tests(match: Mapping[str, Any]) -> list[Test]:
    """Tests of the volume itself, cheap ones first."""
    tests: list[Test] = []
    if (bootable := match.get("bootable")) is not None:
        tests.append(lambda volume: volume.bootable is bootable)
    if (least := match.get("min_size_gb")) is not None:
        tests.append(lambda volume: volume.size_gb >= least)
    if (most := match.get("max_size_gb")) is not None:
        tests.append(lambda volume: volume.size_gb <= most)
    if (types := match.get("volume_type")) is not None:
        wanted = frozenset([types] if isinstance(types, str) else types)
        tests.append(lambda volume: volume.volume_type in wanted)
    if (prefix := match.get("volume_name_prefix")) is not None:
        tests.append(lambda volume: volume.name.startswith(prefix))
    if (part := match.get("volume_name_contains")) is not None:
        tests.append(lambda volume: part in volume.name)
    if (equals := match.get("metadata_equals")) is not None:
        pairs = tuple(equals.items())
        tests.append(lambda volume: all(volume.metadata.get(key) == value for key, value in pairs))
    if (contains := match.get("metadata_contains")) is not None:
        parts = tuple(contains.items())
        tests.append(lambda volume: _contains(volume.metadata, parts))
    return tests


def _named(attribute: str, wanted: str) -> Test:
    folded = wanted.casefold()
    return lambda volume: getattr(volume, attribute).casefold() == folded


def _contains(metadata: Mapping[str, str], parts: tuple[tuple[str, str], ...]) -> bool:
    return all(key in metadata and value in metadata[key] for key, value in parts)
