"""Plain words of questions: where they are no whole name after a type's word, they name nothing."""

from __future__ import annotations

from store.types import registry

_STOPS = """
    a an any are as at be been before after being but by can could did do does for from get had has have having how i
    in into is it its me my near of off on onto or our out over per since so than that the their them then there these
    they this those through to under until up us was we were what when where which while who whom whose why will with
    within without would you your not no nor about all also each every both neither either if else between during
    against and show list give tell find count many much more most less least fewer few top last first
"""
_STATES = """
    active running stopped shutoff error errors errored failed failing faulty down enabled disabled available attached
    unattached detached unused used free full empty paused suspended shelved resized building build deleted deleting
    created changed new old oldest newest large largest biggest small smallest big locked unlocked public private
    shared protected unprotected encrypted bootable broken healthy unhealthy critical degraded pending idle busy
    missing orphaned orphan stale overcommitted powered online offline migrating rebuilding verify maintenance unknown
"""
_THINGS = """
    cpu cpus vcpu vcpus core cores ram memory disk disks size storage space capacity quota quotas usage limit limits
    address addresses ip ips mac macs status state name names id ids host hosts tenant tenants customer customers
    machine machines vm vms box boxes node nodes owner owners age time date day days week weeks month months year
    years hour hours minute minutes today yesterday tomorrow now ago monday tuesday wednesday thursday friday saturday
    sunday gb mb tb kb gib mib tib bytes percent number amount total sum average cloud clouds region regions problem
    problems alert alerts event events change changes drift policy policies compliance health score restore restores
    job jobs rule rules please thanks hello help overview summary details info information utilization utilisation
    overcommit sorted order ordered group grouped using belongs belong belonging called named allocated assigned made
    compare versus vs
"""


def _set(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


_TYPES = (word.replace("_", " ") for type in registry.ALL.values() for word in registry.words(type))

STOPS = _set(_STOPS)  # where a name ends
PLAIN = _set(_STOPS, _STATES, _THINGS, *_TYPES)
