"""What a restore lets people choose beside its plan: a free address, a point of one disk, names, ends, user data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from store.types.actions import Option
from tui import restore
from tui.dialogs.completion import Match, ResourceField
from tui.dialogs.fields import ChoiceField, Field, TextField
from tui.dialogs.menu import Choice
from tui.dialogs.page import Drawn, Line, Page, rule
from tui.dialogs.planlines import wrapped
from tui.dialogs.restore_user_data import UserDataField
from tui.table.cells import clean, cut_end, fit
from tui.widgets.editing import LineEdit

MOST_SHOWN = 12
LETTERS = "123456789abcdefghiklmnoprstuvwxyz"  # j and k move
OPTIONS = (
    "new_name", "keep_days", "end", "stop", "helper", "user_data", "zone", "safety_snapshot", "cleanup_old_storage",
    "delete_source_snapshot", "network_override_id", "fenced", "raise_quota",
)  # fmt: skip


class AddressPage(Page):
    """Free addresses of a network: typing narrows them, enter takes one. An address that is not among them can be taken
    only where nobody may say what is free, and then that is said.

    answer  what GET /q/restore/addresses told
    """

    def __init__(self, title: str, answer: Mapping[str, Any], take: Callable[[str], None], back: Callable[[], None]):
        super().__init__()
        self.title, self._take, self._back = title, take, back
        self.known = answer.get("known") is not False
        self.why = clean(answer.get("why") or "")
        self.subnets = [subnet for subnet in answer.get("subnets") or () if isinstance(subnet, Mapping)]
        self.edit = LineEdit()
        self.at = 0
        self.saying = ""

    @property
    def matches(self) -> list[tuple[str, str]]:
        """(address, its subnet) of what is free and holds what is typed."""
        typed = self.edit.value.strip()
        found = []
        for subnet in self.subnets:
            name = clean(subnet.get("cidr") or subnet.get("name") or subnet.get("subnet_name") or "")
            free = subnet.get("free") or subnet.get("available_ips") or ()
            found += [(clean(address), name) for address in free if typed in str(address)]
        return found

    def take_key(self, key: str, character: str | None) -> None:
        """Type, choose, take, leave."""
        self.saying = ""
        matches = self.matches
        if key == "escape":
            self._back()
        elif key in ("down", "up", "tab", "shift+tab") and matches:
            self.at = (self.at + (1 if key in ("down", "tab") else -1)) % len(matches)
        elif key == "enter":
            self._enter(matches)
        elif self.edit.take_key(key, character):
            self.at = 0
        self.changed()

    def take_paste(self, text: str) -> None:
        """An address may be pasted: it is looked for like a typed one."""
        self.edit.insert(text.strip())
        self.at = 0
        self.changed()

    def _enter(self, matches: list[tuple[str, str]]) -> None:
        typed = self.edit.value.strip()
        if matches:
            self._take(matches[min(self.at, len(matches) - 1)][0])
            return
        try:
            address = str(ip_address(typed))
        except ValueError:
            self.saying = "that is no address" if typed else "no address is known to be free"
            return
        if self.known:
            self.saying = f"{address} is not known to be free"
        else:
            self._take(address)  # the cloud decides; the page says that nobody knows

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (("enter", "take it"), ("↓ ↑", "choose"), ("0-9 .", "narrow"), ("esc", "leave"))

    def draw(self, cells: int, rows: int) -> Drawn:
        """What is typed, and what is free."""
        lines: list[Line] = [rule([(cut_end(clean(self.title), max(10, cells - 8)), "strong")], cells)]
        if not self.known:
            words = f"unknown what is free: {self.why or 'the session may not see the ports of others'}; type one"
            lines += [([(" ▲ " + piece, "warn")], []) for piece in wrapped(words, cells - 4)]
        before, at, after = self.edit.shown(max(4, min(40, cells - 14)))
        lines.append(([(" address ", "key"), (before, "strong"), (at, "input"), (after, "strong")], []))
        matches = self.matches
        first = max(0, min(self.at - MOST_SHOWN // 2, len(matches) - MOST_SHOWN))
        for number, (address, subnet) in list(enumerate(matches))[first : first + MOST_SHOWN]:
            here = number == self.at
            mark, style = ("▸ ", "strong") if here else ("  ", "text")
            lines.append(([(mark, "key"), (fit(address, min(40, max(15, cells // 2))), style), (subnet, "muted")], []))
        count = sum(restore.whole(s.get("count") or s.get("available_count")) or 0 for s in self.subnets)
        if count > len(matches) and self.known:
            lines.append(([(f" {len(matches):,} of {count:,} free ones match or are listed", "muted")], []))
        elif not matches and self.known:
            lines.append(([(" none that is free", "muted")], []))
        if self.saying:
            lines.append(([(" " + clean(self.saying), "warn")], []))
        return Drawn(lines, min(len(lines) - 1, 2 + self.at - first))


def point_choices(points: Sequence[Mapping[str, Any]], disks: Sequence[Mapping[str, Any]], volume: str) -> list[Choice]:
    """The points that hold a disk ("" = all of them) as lines of a menu, the newest first."""
    now = datetime.now(UTC)
    found = [point for point in points if restore.has_disk(point, volume) and not point.get("problem")]
    lines = []
    for number, point in enumerate(found):
        kind = "BACKUP " if restore.is_backup(point) else ""
        title = f"{restore.when(point.get('taken_at'), now)}  {restore.made_by(point)}"
        old = restore.span(restore.whole(point.get("age_seconds")))
        help = f"{kind}{old} old, {restore.consistency_words(point)}, {restore.disks_words(point, disks)}"
        letter = LETTERS[number] if number < len(LETTERS) else ""
        lines.append(Choice(str(point.get("id") or ""), letter, title, help=help))
    return lines


def option_fields(
    plan: Mapping[str, Any],
    request: Mapping[str, Any],
    search: Callable[[ResourceField, str], None],
    look: Callable[[UserDataField], None],
) -> list[Field]:
    """What can be chosen for the plan's way, filled in as it was asked for. `look`: see UserDataField."""
    way = str(plan.get("way") or "")
    machine = plan.get("machine") if isinstance(plan.get("machine"), Mapping) else {}
    assert isinstance(machine, Mapping)
    given = {name: request.get(name) for name in OPTIONS}
    fields: list[Field] = []
    if way == "NEW":
        fields.append(_text("new_name", "New name", given["new_name"] or plan.get("new_name"), maximum=255))
    if way in ("REPLACE", "DATA_VOLUME_BACK", "DISK_BESIDE"):
        kept = {"REPLACE": "the old machine", "DISK_BESIDE": "the copy"}.get(way, "the volume that was there")
        days = given["keep_days"] if given["keep_days"] is not None else 7
        fields.append(
            _text("keep_days", "Keep, days", days, f"so long {kept} is kept", "number", minimum=1, maximum=365)
        )
    if way == "REPLACE":
        words = (("keep", "keep it, parked"), ("delete", "DELETE it once the new one answers"))
        option = Option("end", "Old machine", "choice", ("keep", "delete"))
        fields.append(ChoiceField(option, words, given["end"] or "keep"))
        planned = any(step.get("name") == "SAFETY_SNAPSHOT" for step in plan.get("steps") or ())
        safe = planned if given["safety_snapshot"] is None else given["safety_snapshot"]
        fields.append(_yes("safety_snapshot", "Safety snapshot", safe, "of what is there, before"))
        fields.append(_yes("cleanup_old_storage", "Old root volume", given["cleanup_old_storage"], "yes DELETES it"))
        fields.append(_yes("delete_source_snapshot", "Point itself", given["delete_source_snapshot"], "yes DELETES it"))
    if way == "DATA_VOLUME_BACK":
        fields.append(_yes("stop", "Stop meanwhile", given["stop"], "a file system in use does not like to be swapped"))
    if way == "DISK_BESIDE":
        option = Option("helper", "Attach to", "resource", help="another machine; empty: this one", type="server")
        start = given["helper"]
        fields.append(ResourceField(option, search, Match(str(start), "") if start and start != "none" else None))
        fields.append(_yes("attach", "Attach at all", start != "none", "no: the copy only lies there"))
    if way in ("NEW", "REPLACE"):
        size = restore.whole(machine.get("user_data_bytes"))
        if size:
            again = f"{size} bytes; cloud-init runs them AGAIN"
            fields.append(UserDataField("User data", again, bool(given["user_data"]), look))
        fields.append(_yes("zone", "Pin the zone", given["zone"], clean(machine.get("zone") or "the old one's")))
    if given["raise_quota"] or any(
        one.get("ok") is False and one.get("used") is not None for one in plan.get("fits") or ()
    ):
        fields.append(_yes("raise_quota", "Raise quotas", given["raise_quota"], "for the job, and given back"))
    if way in ("NEW", "REPLACE", "IN_PLACE"):
        prove = request.get("prove") if isinstance(request.get("prove"), Mapping) else {}
        assert isinstance(prove, Mapping)
        fields.append(_text("tcp_port", "Answers on port", prove.get("tcp_port"), "as 22; empty: its console tells",
                            "number", minimum=1, maximum=65535))  # fmt: skip
    if way == "REPLACE" and str(machine.get("host_status") or "UP") != "UP":
        statement = Option("fenced", "Host fenced", help="type the statement that the plan asks for")
        fields.append(_Statement(statement, clean(given["fenced"] or "")))
    return fields


class _Statement(TextField):
    """A statement that somebody answers for: typed, never pasted."""

    def take_paste(self, text: str) -> str:
        """Refused."""
        return "type it: what is pasted was not read"


def changed_request(request: Mapping[str, Any], values: Mapping[str, Any], changed: Sequence[str]) -> dict[str, Any]:
    """The request with what somebody changed in a form of `option_fields`; what is empty goes back to its default."""
    found = {name: value for name, value in request.items() if name not in changed}
    found |= {name: values[name] for name in changed if name in OPTIONS and name in values}
    if "attach" in changed:
        found["helper"] = (values.get("helper") or "") if values.get("attach") else "none"
    if "tcp_port" in changed:
        prove = {name: value for name, value in dict(request.get("prove") or {}).items() if name != "tcp_port"}
        found["prove"] = prove | ({"tcp_port": values["tcp_port"]} if values.get("tcp_port") else {})
    return found


def _text(name: str, title: str, start: Any, help: str = "", kind: Any = "text", **more: Any) -> TextField:
    return TextField(Option(name, title, kind, help=help, **more), "" if start is None else clean(start))


def _yes(name: str, title: str, start: Any, help: str = "") -> ChoiceField:
    words = ((True, "yes"), (False, "no"))
    return ChoiceField(Option(name, title, "bool", help=help), words, bool(start))
