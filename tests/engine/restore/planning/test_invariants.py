"""What holds for every plan of every machine, whatever is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.restore import rules
from engine.restore.kept import plan_of, to_json
from engine.restore.models import WAYS, Disk, FixedIp, Nic, Plan, Request, Source
from engine.restore.planning import dry_run, steps
from engine.restore.planning.facts import Facts, Hosts, Rights, Subnet
from engine.restore.planning.fitting import fits
from engine.restore.planning.planner import make_plan
from engine.restore.planning.relying import differences, hashed, relied
from engine.restore.planning.ways import offers
from tests.engine.restore.planning.given import (
    NOW,
    PROJECT,
    data,
    facts,
    floating,
    machine,
    network,
    nic,
    point,
    root,
)  # fmt: skip

FENCED = "the old host c1 is fenced"
DELETES = {"DELETE_OLD_MACHINE", "CLEANUP_OLD_STORAGE", "REMOVE_TEMPORARY"}
ENDS = {"KEEP_OLD_MACHINE", "KEEP_OLD_VOLUME", "PROTECT", *DELETES}
# Steps that change what was there before.
TOUCH_MACHINE = {"STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "REBUILD_SERVER", "START_MACHINE", *ENDS} - {"PROTECT"}
TOUCH_PORTS = {"MOVE_ADDRESSES", "MOVE_FLOATING_IPS"}
TOUCH_VOLUMES = {"MOVE_VOLUMES", "DETACH_CURRENT_VOLUME", "ATTACH_RESTORED_VOLUME", "PRESERVE_OLD_VOLUMES"}
CHANGES = {
    *TOUCH_PORTS, *TOUCH_VOLUMES, "STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "REBUILD_SERVER", "SAFETY_SNAPSHOT",
    "CREATE_VOLUME_FROM_SNAPSHOT", "CREATE_IMAGE", "CREATE_PORTS", "CREATE_SERVER", "ATTACH_VOLUME", "START_MACHINE",
}  # fmt: skip
IDS = ("v-root", "v-1", "v-2", "v-3")
CHOICES = ("restore_point", "keep_current", "leave_out", "point:v-1-p0")


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """One value nearly always: so many things can go wrong that otherwise hardly any plan would be eligible."""
    return st.sampled_from([usual] * 12 * max(1, len(others)) + list(others))


YES = mostly(True, False)


@st.composite
def points(draw: st.DrawFn, volume: str, size: int, kind: str = "") -> tuple[Source, ...]:
    """Points of one volume: some of them broken, foreign or without a time."""
    found = []
    for number in range(draw(st.sampled_from([1, 2, 3, 0, 2, 2]))):
        what: Any = kind or draw(st.sampled_from(["snapshot", "snapshot", "backup"]))
        when = draw(st.integers(-1, 200))
        found.append(
            point(
                f"{volume or 'image'}-p{number}", volume, when, kind=what,
                status=draw(mostly("active" if what == "image" else "available", "error", "")),
                project_id=draw(mostly(PROJECT, "p2", "")), group=draw(st.sampled_from(["", "", "g1", "g2"])),
                size_gb=draw(st.sampled_from([size, size, 1, 60])), seconds=draw(st.sampled_from([None, 5, 900])),
                taken_at=draw(mostly(NOW - timedelta(hours=when), None)),
            )
        )  # fmt: skip
    return tuple(found)


@st.composite
def disks(draw: st.DrawFn, boots: bool) -> tuple[Disk, ...]:
    """A root (where it boots from a volume) and some data disks."""
    ids = IDS[0 if boots else 1 : draw(st.integers(1, 4))]
    return tuple(
        (root if id == "v-root" else data)(
            volume_id=id, order=number, size_gb=draw(mostly(20, 0)), encrypted=not draw(YES),
            delete_on_termination=draw(st.booleans()), volume_type=draw(st.sampled_from(["", "ssd", "hdd"])),
            attached_elsewhere=draw(st.sampled_from([(), (), ("s7",)])),
        )
        for number, id in enumerate(ids)
    )  # fmt: skip


@st.composite
def ports(draw: st.DrawFn) -> tuple[Nic, ...]:
    """Up to three ports, IPv6 and trunks among them."""
    six = FixedIp("2001:db8::f816:3eff:fe00:0", "sub6")
    return tuple(
        nic(
            number, fixed=draw(st.sampled_from([(FixedIp(f"10.0.0.{number + 5}", "sub1"),), (), (six,)])),
            floating=draw(st.sampled_from([(), (), floating()])), trunk_id=draw(mostly("", "t1")),
            own_network=draw(st.booleans()), port_security=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 3)))
    )  # fmt: skip


@st.composite
def known(draw: st.DrawFn) -> Facts:
    """Everything known of some machine; mostly one that something can be done with."""
    boots, gone = draw(st.booleans()), draw(st.sampled_from([False, False, False, True]))
    own = draw(disks(boots))
    states = mostly("active", "stopped", "error", "paused", "shelved_offloaded", "rescued") | st.just("stopped")
    it = machine(
        boot="volume" if boots else "image", gone=gone, project_id=draw(mostly(PROJECT, "p2")),
        vm_state="deleted" if gone else draw(states), host="" if gone else "c1",
        host_status="" if gone else draw(st.sampled_from(["UP", "UP", "UP", "UP", "DOWN", ""])),
        locked=not draw(YES), task_state=draw(mostly("", "stopping")), flavor_id=draw(mostly("f1", "")),
        config_drive=draw(st.booleans()), group_id=draw(st.sampled_from(["", "g"])),
        user_data_bytes=draw(st.sampled_from([0, 900])),
    )  # fmt: skip
    six = Subnet("sub6", "six", "2001:db8::/64", version=6, automatic=True)
    free = network(known=draw(YES), subnets=(*network().subnets, six))
    entry = {"limit": draw(mostly(20, 3, -1)), "in_use": 3, "reserved": 0}
    return facts(
        machine=it, disks=own, nics=draw(ports()), networks={"net1": free} if draw(YES) else {},
        points={disk.volume_id: draw(points(disk.volume_id, disk.size_gb)) for disk in own}
        | ({} if boots else {"": draw(points("", 2, "image"))}),
        survived=tuple(disk.volume_id for disk in own if draw(st.booleans())) if gone else (),
        storage_quota=draw(mostly({"volumes": entry, "snapshots": entry}, "not read")),
        hosts=Hosts(draw(mostly(3, None, 0)), draw(st.sampled_from([None, 1])), draw(mostly(None, 0, 1))),
        rights=Rights(admin=draw(st.booleans()), key=draw(st.sampled_from(["", "own", "clash"])),
                      access=draw(mostly("role", "lend", "none")), user_data=draw(YES)),
        compute_top=draw(mostly("2.96", "2.90")),
        refused=draw(mostly({}, {"held": "held"}, {"read_only": "read-only"})),
        helper=draw(st.sampled_from([None, machine(key=("lab", "R1", "s9"), name="helper")])),
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> tuple[Facts, Request]:
    """A machine, and something that is asked for it; mostly something that makes sense."""
    about = draw(known())
    possible = [offer.way for offer in offers(about, NOW) if offer.possible] or list(WAYS)
    way = draw(st.sampled_from(possible * 4 + list(WAYS)))
    ports_too = way in ("NEW", "REPLACE")
    strategy: Any = draw(st.sampled_from(["NEW_IPS", "TRY_SAME_IPS", "SAME_IPS_OR_FAIL", "MANUAL_IP"]))
    manual: dict[str, str] = draw(mostly({}, {"net1": "10.0.0.77"}))
    if strategy == "MANUAL_IP" and about.nics and ports_too:
        manual = draw(st.sampled_from([{"net1": "10.0.0.77"}, {"net1": "10.0.0.5"}]))
    one = [disk.volume_id for disk in about.disks if way != "DATA_VOLUME_BACK" or not disk.root] or [""]
    of_disks = st.dictionaries(st.sampled_from([*(disk.volume_id for disk in about.disks), "v-9"]),
                               st.sampled_from(CHOICES), max_size=2)  # fmt: skip
    return about, Request(
        draw(mostly(about.machine.project_id, "p9")), "s1", "lab", "R1", way=way,
        restore_point_id=draw(mostly("", "v-root-p0", "v-1-p0", "image-p0", "g1", "nowhere")),
        at=draw(mostly(None, NOW - timedelta(hours=50))), manual_ips=manual,
        ip_strategy=strategy if ports_too else "NEW_IPS",
        disks=draw(st.one_of(st.just({}), of_disks) if ports_too else mostly({}, {"v-1": "leave_out"})),
        volume_id=draw(st.sampled_from(one)) if draw(st.booleans()) or way == "DATA_VOLUME_BACK" else "",
        helper=draw(st.sampled_from(["", "none", "s9"]) if about.helper is not None else mostly("", "none", "s9")),
        stop=draw(st.booleans()), end=draw(st.sampled_from(["keep", "delete"])),
        safety_snapshot=draw(st.sampled_from([None, True, False])), cleanup_old_storage=draw(st.booleans()),
        delete_source_snapshot=draw(st.booleans()), user_data=about.rights.user_data and draw(st.booleans()),
        fenced=draw(mostly(FENCED, "")),
    )  # fmt: skip


house = settings(max_examples=100)


def does(found: Plan) -> list[str]:
    """Its do-steps."""
    return [step.name for step in found.steps if step.phase == "do"]


@house
@given(cases())
def test_a_plan_is_eligible_or_says_why_not(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    assert found.eligible == (not found.problems)
    assert bool(found.steps) == found.eligible
    assert all(text.strip() for text in (*found.problems, *found.warnings, *found.lost))
    assert found == make_plan(known, asked, NOW, id="p")  # nothing but what was given decides
    assert plan_of(json.loads(json.dumps(to_json(found)))) == found


@house
@given(cases())
def test_nothing_is_deleted_before_the_proof(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    if not found.eligible:
        return
    names = does(found)
    assert found.commit in names
    assert len(set(names)) == len(names)
    commit = names.index(found.commit)
    for number, name in enumerate(names):
        if name in ENDS:
            assert number > commit
    if found.way in ("NEW", "REPLACE", "IN_PLACE"):
        assert found.commit == "PROVE_IT_ANSWERS"
    if "DELETE_OLD_MACHINE" in names:
        assert (found.way, asked.end) == ("REPLACE", "delete")
        assert names.index("PRESERVE_OLD_VOLUMES") < commit if found.disks else True


@house
@given(cases())
def test_every_change_before_the_commit_is_taken_back(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    if not found.eligible:
        return
    names, undoes = does(found), [step.name for step in found.steps if step.phase == "undo"]
    undone = steps.undone_by(found.way)
    for name in names[: names.index(found.commit)]:
        if name in CHANGES:
            assert undone[name] in undoes
    for undo in undoes:  # and none that has nothing to take back
        assert any(undone.get(name) == undo for name in names)
    assert [step.phase for step in found.steps] == ["do"] * len(names) + ["undo"] * len(undoes)


@house
@given(cases())
def test_a_new_machine_and_a_copy_touch_nothing_of_the_old_one(case: tuple[Facts, Request]) -> None:
    known, asked = case
    for way in ("NEW", "DISK_BESIDE"):
        found = make_plan(known, replace(asked, way=way), NOW, id="p")
        assert not set(does(found)) & (TOUCH_MACHINE | TOUCH_PORTS | TOUCH_VOLUMES) - {"CLEANUP_OLD_STORAGE"}
        assert not steps.moved(found)
        if found.eligible and way == "NEW":
            kept = {disk.volume_id for disk in found.disks if disk.choice == "keep_current"}
            assert kept <= set(known.survived)
            old = {one.address for port in known.nics for one in port.fixed}
            wanted = {one.address for port in found.nics for one in port.wanted if one.address}
            assert known.machine.gone or not wanted & old
            assert not any(port.keep_mac for port in found.nics)


@house
@given(cases())
def test_no_plan_names_what_is_another_projects(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    if not found.eligible:
        return
    assert found.machine.project_id == asked.project_id
    own = {disk.volume_id for disk in known.disks} | {""}
    sources = [disk.source for disk in found.disks if disk.source is not None]
    for source in [*sources, *([found.point] if found.point is not None else [])]:
        assert source.project_id in ("", asked.project_id)
        assert source.volume_id in own
        assert source in known.points[source.volume_id]
    assert {disk.volume_id for disk in found.disks} <= own
    assert {port.port_id for port in found.nics} <= {port.port_id for port in known.nics}


@house
@given(cases())
def test_a_disk_comes_from_a_point_of_its_own_and_is_never_smaller(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    if not found.eligible:
        return
    for disk in found.disks:
        assert (disk.choice == "restore_point") == (disk.source is not None)
        if disk.source is not None:
            assert disk.source.volume_id == disk.volume_id
    if asked.way in ("DISK_BESIDE", "DATA_VOLUME_BACK"):
        assert len(steps.restored(found)) == 1
    if asked.at is not None and not asked.restore_point_id and not asked.disks and found.point is not None:
        assert found.point.taken_at is not None and found.point.taken_at <= asked.at


@house
@given(cases())
def test_a_retry_asks_for_the_very_same(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    if not found.eligible:
        return
    newer = {volume: (point("newer", volume, 0.01), *own) for volume, own in known.points.items() if volume}
    again = make_plan(replace(known, points={**known.points, **newer}), rules.again(found, None), NOW, id="q")
    assert again.eligible, again.problems
    assert again.disks == found.disks
    assert (again.point, again.nics, again.steps) == (found.point, found.nics, found.steps)


@house
@given(cases(), known())
def test_the_hash_changes_exactly_when_what_is_relied_on_does(case: tuple[Facts, Request], other: Facts) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    later = NOW + timedelta(minutes=1)
    for facts_now in (known, replace(known, console=("x",), compute_quota="not read"), other):
        now = relied(found, facts_now, later)
        assert (hashed(now) == found.hash) == (now == found.relied) == (differences(found.relied, now) == ())
    assert relied(found, known, later) == found.relied


@house
@given(cases())
def test_every_step_can_be_told_and_every_limit_summed(case: tuple[Facts, Request]) -> None:
    known, asked = case
    found = make_plan(known, asked, NOW, id="p")
    assert [line["step"] for line in dry_run.render(found)] == [step.name for step in found.steps]
    assert fits(found, known) == found.fits
    if found.eligible:
        assert all(fit.ok for fit in found.fits)
    fields = [one.field for one in found.differs]
    assert len(fields) == len(set(fields))


@house
@given(known())
def test_what_is_offered_can_be_planned_and_what_is_not_cannot(known: Facts) -> None:
    found = offers(known, NOW)
    assert sorted(offer.way for offer in found) == sorted(WAYS)
    assert sum(offer.first for offer in found) == (1 if any(offer.possible for offer in found) else 0)
    for offer in found:
        assert offer.possible == (not offer.why)
        assert not offer.first or offer.possible
        if not offer.possible:
            asked = Request(known.machine.project_id, "s1", "lab", "R1", way=offer.way)
            assert offer.why in make_plan(known, asked, NOW, id="p").problems
