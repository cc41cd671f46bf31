"""The review of a restore: its plan as it would be carried out, what can still be chosen, and who answers for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from store.types.actions import Option
from tui import restore
from tui.dialogs import restore_lines as lines_of
from tui.dialogs.fields import Field, PhraseField, TextField
from tui.dialogs.focus import CANCEL, GO, FieldsPage
from tui.dialogs.page import Drawn, Line, rule
from tui.dialogs.plan import SOON, TicketField
from tui.dialogs.planlines import clock, seconds_left, wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, width

BODY = "body"
TWO_COLUMNS = 76  # cells from which volumes and addresses stand side by side


@dataclass(frozen=True, slots=True)
class Does:
    """What the page has done by the console.

    execute  sends the body of POST …/execute; `plan` asks for a plan of another request
    point    asks for the point of a disk (None: of all), `address` for that of a port, `options` for the rest
    ways     back to the choice of the way
    """

    back: Callable[[], None]
    execute: Callable[[dict[str, Any]], None]
    plan: Callable[[dict[str, Any]], None]
    point: Callable[[Mapping[str, Any] | None], None]
    address: Callable[[Mapping[str, Any]], None]
    options: Callable[[], None]
    ways: Callable[[], None]
    copy: Callable[[str], None]
    save: Callable[[], None]


class ReviewPage(FieldsPage):
    """Focus starts on the plan itself, where letters are keys; enter goes on to reason, ticket, phrase and button."""

    whole = True

    def __init__(
        self,
        plan: Mapping[str, Any],
        request: Mapping[str, Any],
        kept: Mapping[str, str],
        does: Does,
        *,
        ways: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.does, self.ways = does, list(ways)
        self.planning = self.sending = self.over = False
        self.differences: list[str] = []
        self.shown = ""
        self.at = self.top = 0
        self._page = 1
        self.plan: Mapping[str, Any] = plan
        self.request = dict(request)
        requires = plan.get("requires") or {}
        fields: list[Field] = [
            TextField(Option("reason", "reason", required=bool(requires.get("reason"))), kept.get("reason", "")),
            TicketField(
                Option("ticket", "ticket", required=bool(requires.get("ticket"))),
                requires.get("ticket_pattern"),
                kept.get("ticket", ""),
            ),
        ]
        super().__init__(fields, does.back)
        self.focus = BODY
        self._take(plan)

    def _take(self, plan: Mapping[str, Any]) -> None:
        self.plan = plan
        self.phrase = str((plan.get("requires") or {}).get("typed") or plan.get("phrase") or "")
        self.fields = [field for field in self.fields if not isinstance(field, PhraseField)]
        if self.phrase and self.eligible:
            self.fields.append(PhraseField(Option("typed", "the phrase", required=True), clean(self.phrase)))
        self.disks, self.nics = lines_of.objects(plan, "disks"), lines_of.objects(plan, "nics")
        self.at = max(0, min(self.at, len(self.items) - 1))
        way = restore.WAY_WORDS.get(self.way, clean(self.way))
        name = clean((plan.get("machine") or {}).get("name") or "")
        can = self.eligible and not plan.get("refused") and not plan.get("dry_run_only")
        self.go_label = f"{way} {name}" if can else "it can't be carried out"

    def take_plan(self, plan: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        """Another plan is there: for what was changed, or the same one anew."""
        self.planning = self.over = False
        self.differences, self.saying = [], ""
        self.request = dict(request)
        self._take(plan)
        if self.focus not in self.ring:
            self.focus = BODY
        self.changed()

    @property
    def ring(self) -> list[Field | str]:
        """What tab goes through, in order."""
        return [BODY, *self.fields, GO, CANCEL]

    @property
    def way(self) -> str:
        """The plan's way."""
        return str(self.plan.get("way") or "")

    @property
    def eligible(self) -> bool:
        """Whether it may be carried out as it stands."""
        return bool(self.plan.get("eligible")) and not self.plan.get("problems")

    @property
    def makes_machine(self) -> bool:
        """Whether there will be another machine, whose addresses can be chosen."""
        return self.way in restore.MAKES_MACHINE

    @property
    def items(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What the cursor goes through: volumes, then addresses."""
        return [*(("disk", disk) for disk in self.disks), *(("nic", nic) for nic in self.nics)]

    def value(self, name: str) -> Any:
        """The value of a field; None when there is no such field."""
        return next((field.value() for field in self.fields if field.name == name), None)

    # Keys

    def take_key(self, key: str, character: str | None) -> None:
        """While it is being sent nothing can be taken back; the plan's own keys; else those of fields and buttons."""
        if self.sending:
            return
        if self.focus == BODY and key not in ("tab", "shift+tab", "enter", "escape"):
            self.saying = ""
            self._body_key(key)
            self.changed()
        elif self.shown and key == "escape":
            self.shown, self.top = "", 0
            self.changed()
        else:
            super().take_key(key, character)

    def _body_key(self, key: str) -> None:
        moves = {"j": 1, "down": 1, "k": -1, "up": -1}
        if key in moves:
            self._move(moves[key])
        elif key in ("pagedown", "pageup"):
            self.top += self._page if key == "pagedown" else -self._page
        elif key in ("g", "home", "G", "end"):
            self.top = 10**6 if key in ("G", "end") else 0
        elif key in ("d", "y"):
            wanted = "details" if key == "d" else "dry run"
            self.shown, self.top = "" if self.shown == wanted else wanted, 0
        elif key == "E":
            self.does.save()
        elif key == "c":
            self.does.copy("\n".join(lines_of.texts(self.plan, "commands")))
        elif key == "q":
            self.back()
        elif self.planning:
            self.saying = "the plan is being made anew"
        else:
            self._change_key(key)

    def _change_key(self, key: str) -> None:
        what, item = self.items[self.at] if self.items else ("", {})
        if key == "p":
            self._plan_again(self.request)
        elif key == "w":
            self.does.ways()
        elif key == "o":
            self.does.options()
        elif key in ("s", "i") and not self.makes_machine:
            self.saying = "this way leaves the addresses as they are"
        elif key == "s":
            self._next_strategy()
        elif key == "m":
            self.does.point(item if what == "disk" and len(self.disks) > 1 else None)
        elif key == "space" and what == "disk":
            self._next_choice(item)
        elif key in ("i", "space") and what == "nic" and self.makes_machine:
            self.does.address(item)
        elif key == "i" and len(self.nics) == 1:
            self.does.address(self.nics[0])
        elif key == "i":
            self.saying = "put the cursor on an address"

    def _move(self, step: int) -> None:
        last = len(self.items) - 1
        if self.shown or (step > 0 and self.at >= last) or (step < 0 and self.top > 0):
            self.top += step
        elif 0 <= self.at + step <= last:
            self.at += step

    def _plan_again(self, request: Mapping[str, Any]) -> None:
        self.planning = True
        self.does.plan(dict(request))

    def _next_choice(self, disk: Mapping[str, Any]) -> None:
        """From the restore point, keep current, leave out; of a way of one disk: this one."""
        if self.way in restore.OF_ONE_DISK:
            self._plan_again({**self.request, "volume_id": str(disk.get("volume_id")), "restore_point_id": ""})
            return
        here = str(disk.get("choice") or "")
        at = restore.CHOICES.index(here) if here in restore.CHOICES else -1
        self.choose(disk, restore.CHOICES[(at + 1) % len(restore.CHOICES)])

    def choose(self, disk: Mapping[str, Any], choice: str) -> None:
        """Something else becomes of a disk: planned at once."""
        disks = {**(self.request.get("disks") or {}), str(disk.get("volume_id")): choice}
        self._plan_again({**self.request, "disks": disks})

    def choose_point(self, id: str) -> None:
        """Another point for all of it: choices of single disks that name points of their own are forgotten."""
        own = {d: c for d, c in (self.request.get("disks") or {}).items() if not str(c).startswith(restore.POINT)}
        self._plan_again({**self.request, "restore_point_id": id, "disks": own})

    def choose_address(self, nic: Mapping[str, Any], address: str) -> None:
        """This address by hand; networks without one keep theirs where that is possible."""
        manual = {**(self.request.get("manual_ips") or {}), str(nic.get("network_id")): address}
        self._plan_again({**self.request, "ip_strategy": "MANUAL_IP", "manual_ips": manual})

    def _next_strategy(self) -> None:
        """Manual addresses are chosen one by one, with their own key."""
        known = restore.STRATEGIES[:3]
        here = str(self.plan.get("strategy") or "")
        at = known.index(here) if here in known else -1
        self._plan_again({**self.request, "ip_strategy": known[(at + 1) % len(known)], "manual_ips": {}})

    def keys(self) -> Sequence[tuple[str, str]]:
        """What is possible now."""
        if self.sending:
            return ()
        if isinstance(self.focus, Field):
            return (("enter", "next"), ("tab", "next"), ("shift tab", "before"), ("esc", "no"))
        if self.focus != BODY:
            return (("← →", "choose"), ("enter", "press"), ("tab", "plan"), ("esc", "no"))
        found = [("p", "plan again")] if self._needs_again() else [("enter", "next")]
        what = self.items[self.at][0] if self.items else ""
        if not self.shown:
            found += [("space", "choose")] if what == "disk" else []
            found += [("i", "address")] if what == "nic" and self.makes_machine else []
            found += [("s", "addresses")] if self.makes_machine else []
            found += [("m", "point"), ("w", "way"), ("o", "more")]
        found += [("d", "short" if self.shown == "details" else "details"), ("y", "dry run")]
        return (*found, ("E", "save"), ("esc", "short" if self.shown else "no"), ("c", "copy"))

    def press_go(self) -> None:
        """Carry it out, if it can be."""
        if self.planning:
            self.saying = "the plan is being made anew: look at it first"
        elif self._needs_again():
            self.saying = "the plan can't be carried out any more; p on the plan plans again"
            self.focus = BODY
        elif refused := str(self.plan.get("refused") or ""):
            self.saying = refused
        elif self.plan.get("dry_run_only"):
            self.saying = "restores are only planned here (restore.dry_run); y shows what each step would do"
        elif not self.eligible:
            self.saying = (lines_of.texts(self.plan, "problems") or ["the engine found it not eligible; d says why"])[0]
            self.focus = BODY
        elif self.phrase and clean(self.phrase) != self.phrase:
            self.saying = "its name has characters that nobody can type: rename the machine first"
        else:
            super().press_go()

    def submit(self) -> None:
        """Send it, once."""
        body = {name: self.value(name) or "" for name in ("reason", "ticket", "typed")}
        self.sending = True
        self.does.execute({**body, "hash": self.plan.get("hash")})

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.planning, self.saying = False, text
        self.changed()

    def refuse(self, text: str, *, again: bool, differences: Sequence[str] = ()) -> None:
        """The engine did not begin it. `again`: it must be planned anew."""
        self.sending, self.over, self.saying = False, self.over or again, text
        self.differences = list(differences)
        if again:
            self.focus = BODY
        self.changed()

    def tick(self) -> bool:
        """The clock goes on."""
        return True

    def _left(self) -> int | None:
        return seconds_left(self.plan, datetime.now(UTC))

    def _needs_again(self) -> bool:
        return self.over or self._left() == 0

    # Drawing

    def draw(self, cells: int, rows: int) -> Drawn:
        """Whose machine and what is lost; the plan; what is asked for. On small screens the focus is in sight."""
        head, (tail, focus) = self._head(cells), self._tail(cells)
        room = max(3, rows - len(head) - len(tail))
        middle, here = self._middle(cells, room)
        self._page = max(1, room - 1)
        self.top = max(0, min(self.top, len(middle) - room))
        if here >= 0 and not self.shown and self.top <= here + 1:
            self.top = max(self.top, here - room + 1)
        below = len(middle) - self.top - room
        shown: list[Line] = [(parts, []) for parts in middle[self.top : self.top + room]]
        blank: list[Line] = [([], [])] * max(0, rows - len(head) - len(shown) - len(tail))
        more = f" {below} more: j " if below > 0 else ""
        tail[0] = ([("─" * max(0, cells - width(more) - 2), "rule"), (more, "muted"), ("─" * 2, "rule")], [])
        lines = [*head, *shown, *blank, *tail]
        if self.focus == BODY:
            return Drawn(lines, max(0, len(head) + here - self.top))
        return Drawn(lines, len(head) + len(shown) + len(blank) + focus)

    def _head(self, cells: int) -> list[Line]:
        left = self._left()
        if self.planning:
            told: Parts = [("◐ planning", "busy")]
        elif self._needs_again():
            told = [("EXPIRED: p plans again" if left == 0 else "p plans again", "bad")]
        elif left is None or cells < 60:
            told = []
        else:
            told = [(f"plan expires {clock(left)}", "warn" if left < SOON else "muted")]
        lost, style = lines_of.lost_words(self.plan)
        room = cells - 10 - sum(width(text) for text, _ in told)
        title = restore.machine_words(self.plan.get("machine") or {}, max(10, room))
        parts: Parts = [(title, "strong")]
        beside = width(lost) <= room - width(title) - 2
        if beside:
            parts.append(("  " + lost, style))
        found: list[Line] = [rule(parts, cells, told)]
        if not beside:
            found += [([(" " + piece, style)], []) for piece in wrapped(lost, cells - 2)[:2]]
        found.append(([(" from  ", "muted"), *lines_of.point_parts(self.plan)], []))
        found.append((lines_of.ways_parts(self.ways, self.way, cells), []))
        return found

    def _middle(self, cells: int, room: int) -> tuple[list[Parts], int]:
        """Lines between head and tail, and the one under the cursor (-1: none). Notes are whole where they fit."""
        if self.shown == "details":
            return lines_of.details(self.plan, cells), -1
        if self.shown:
            return lines_of.dry_lines(self.plan, cells), -1
        told: list[Parts] = [[(" ≠ " + clean(text), "bad")] for text in self.differences]
        lines, here = self._columns(cells)
        notes = lines_of.note_lines(self.plan, cells)
        for most in (2, 3, 4, 6):
            longer = lines_of.note_lines(self.plan, cells, most)
            if len(told) + len(lines) + len(longer) > room:
                break
            notes = longer
        return [*told, *lines, *notes], here + len(told)

    def _columns(self, cells: int) -> tuple[list[Parts], int]:
        """Volumes and addresses, side by side where there is room."""
        strategy = str(self.plan.get("strategy") or "")
        words = restore.STRATEGY_WORDS.get(strategy, clean(strategy)) if self.makes_machine else "stay as they are"
        two = cells >= TWO_COLUMNS
        room = cells // 2 if two else cells
        name = clean((self.plan.get("machine") or {}).get("name") or "")
        left = [self._item(n, lines_of.disk_parts(disk, room - 4, name)) for n, disk in enumerate(self.disks)]
        left = left or [[(" no volume", "muted")]]
        first = len(self.disks)
        right = [
            self._item(first + n, lines_of.nic_parts(nic, strategy, (cells - room if two else cells) - 4, self.way))
            for n, nic in enumerate(self.nics)
        ] or [[(" no port", "muted")]]
        titles = (
            lines_of.heading("volumes", room),
            lines_of.heading(f"addresses: {words}", cells - room - 1 if two else cells),
        )
        here = self.at if self.at < first else self.at - first
        if two:
            head: Parts = [*titles[0], ("┬", "rule"), *titles[1]]
            return [head, *lines_of.in_two(left, right, room)], 1 + here
        at = 1 + self.at if self.at < first else 2 + len(left) + here
        return [titles[0], *left, titles[1], *right], at

    def _item(self, number: int, parts: Parts) -> Parts:
        return [("▸ " if number == self.at and self.focus == BODY else "  ", "key"), *parts]

    def _tail(self, cells: int) -> tuple[list[Line], int]:
        """What is asked for, and the line of the focus in it."""
        lines: list[Line] = [([], [])]
        focus = 0
        plain = [field for field in self.fields if not isinstance(field, PhraseField)]
        for fields in [plain] if cells >= TWO_COLUMNS else [[field] for field in plain]:
            focus = len(lines) if self.focus in fields else focus
            lines.append((self._fields(fields, cells), []))
        phrase = next((field for field in self.fields if isinstance(field, PhraseField)), None)
        if phrase is not None:
            lines.append(([(" To go on type:  ", "text"), (clean(self.phrase), "strong")], []))
            focus = len(lines) if self.focus is phrase else focus
            room = max(10, min(cells - 4, width(clean(self.phrase)) + 6))
            lines.append(([(" > ", "key"), *phrase.parts(room, self.focus is phrase)], []))
        said, style = self._said()
        beside = cells - width(clean(self.go_label)) - 24
        if width(said) > beside:
            lines += [([(" " + piece, style)], []) for piece in wrapped(said, cells - 2)[:3]]
            said = ""
        focus = len(lines) if self.focus in (GO, CANCEL) else focus
        lines.append((self.buttons(), [(said + " ", style)] if said else []))
        return lines, focus

    def _fields(self, fields: Sequence[Field], cells: int) -> Parts:
        labels = [field.option.title + ("*" if field.option.required else "") + " " for field in fields]
        share = (cells - 2 - sum(width(label) + 1 for label in labels)) // max(1, len(fields))
        parts: Parts = [(" ", "text")]
        for field, label in zip(fields, labels, strict=True):
            wrong = field.touched and field.problem()
            parts.append((label, "bad" if wrong else "key" if self.focus is field else "muted"))
            parts += [*field.parts(max(8, share), self.focus is field), (" ", "text")]
        return parts

    def _said(self) -> tuple[str, str]:
        if self.sending:
            return "◐ handing it to the engine …", "busy"
        if self.saying:
            return clean(self.saying), "warn"
        if wrong := self.wrong_field():
            return f"{wrong.option.title} {wrong.problem()}", "warn"
        return ("* is required" if any(field.option.required for field in self.fields) else "", "muted")
