"""What is known while the items of a question are gone through, left to right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from copilot.answers import Named
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.linking.names import Names
from copilot.model import paths
from copilot.model.declaration import Attribute, Entity, Relation, State
from copilot.model.registry import entity
from copilot.query import Comparison, Condition, Not, Test, both
from copilot.reading import Ambiguity, Period, Quantity

Negation = Literal["", "not", "no", "except"]
PREFERRED = (
    "server", "project", "hypervisor", "volume", "network", "image", "flavor", "floating_ip", "domain", "user",
        "snapshot",
    "volume_type", "storage_pool", "aggregate", "availability_zone", "security_group", "router", "subnet", "port",
        "backup",
    "server_group", "keypair", "group", "role", "trunk",
)  # fmt: skip
# After these prepositions a name that is several things is most likely of these types.
AFTER = {
    "on": ("hypervisor", "network", "project", "server", "storage_pool"),
    "in": ("project", "domain", "availability_zone", "aggregate", "network"),
    "of": ("project", "server", "hypervisor", "volume"),
    "belong": ("server", "hypervisor", "project", "network", "image"),
    "with": ("image", "flavor", "network", "volume_type", "security_group", "keypair"),
}  # fmt: skip


@dataclass(slots=True)
class Target:
    """An entity of the question: the one that is asked for, or one that its rows are related to."""

    entity: Entity
    pieces: list[Piece] = field(default_factory=list)
    parent: Target | None = None
    negated: bool = False
    comparison: Comparison = ">="
    count: int = 1
    most: int | None = None  # at most so many, where a range was said
    owned: bool = False  # said with "of": what follows an age is about the head

    def add(self, piece: Piece) -> None:
        """Require one more thing."""
        if piece not in self.pieces:
            self.pieces.append(piece)

    def condition(self) -> Condition:
        """Everything required of its rows."""
        return both(*(piece.condition for piece in self.pieces))


@dataclass(slots=True)
class Parse:
    """State of the way through the items."""

    items: list[Item]
    names: Names
    selected: tuple[Named, ...] = ()
    at: int = 0
    wh: str = ""
    head: Target | None = None
    current: Target | None = None
    children: list[Target] = field(default_factory=list)
    also: list[Entity] = field(default_factory=list)
    waiting: list[Piece] = field(default_factory=list)  # states and tests said before any entity
    waiting_states: list[tuple[Item, Negation]] = field(default_factory=list)
    waiting_named: list[tuple[tuple[Named, ...], Negation, str]] = field(default_factory=list)
    subject: list[Named] = field(default_factory=list)
    asked: list[tuple[Item, str]] = field(default_factory=list)  # attributes asked for, with the preposition before
    # pending until the word that they speak of comes
    negation: Negation = ""
    prep: str = ""
    join: str = ""
    having: bool = False
    absorbing: bool = False  # the next word for an entity was said by a state already: "not used by any server"
    grouping: bool = False
    sorting: bool = False
    pattern: str = ""
    superlative: str = ""
    measure: str = ""
    quantity: Quantity | None = None
    waiting_numbers: list[tuple[Item | None, Quantity]] = field(default_factory=list)  # before a head: "8 vcpu vms"
    attribute: Item | None = None
    # what was said
    count: bool = False
    share: bool = False
    every: bool = False
    any: bool = False
    past: bool = False
    did: bool = False
    listing: bool = False  # columns are being listed: "with their ips and flavors"
    length: bool = False  # of a list column its length is asked for
    spread: bool = False  # "distribution of ...": what follows "over" are groups
    total: bool = False  # "in total", "together"
    big: bool = False  # "how big", "how large"
    used_by: bool = False  # "images used in acme-prod": by its machines, whoever owns them
    whose: str = ""  # the entity that the one asked for belongs to: "which project has the largest volume"
    vague: str = ""  # "large", "old", without a number
    newish: bool = False  # "new", "recent": within a time that is said, else the newest
    pointing: str = ""  # a pronoun that nothing in the question itself explains
    born: bool = False
    gone: bool = False
    change: bool = False
    top: str = ""
    limit: int | None = None
    compare: str = ""
    per: str = ""  # the word that the next group stands behind
    fixed: list[Item] = field(default_factory=list)  # groups said with "per": never an order
    groups: list[Item] = field(default_factory=list)
    order: list[tuple[Item | None, str]] = field(default_factory=list)
    counted_where: dict[str, Condition] = field(default_factory=dict)  # what counted rows must fulfil
    counted_words: str = ""
    descending: bool | None = None
    periods: list[Period] = field(default_factory=list)
    period_of: list[Target | None] = field(default_factory=list)  # the entity that each was said of
    expected: Quantity | None = None
    predicate_from: int | None = None
    follow: set[str] = field(default_factory=set)
    selection: bool = False
    ambiguous: list[Ambiguity] = field(default_factory=list)
    doubts: list[float] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    # Looking around

    def next(self, step: int = 1) -> Item | None:
        """The next item that is no filler."""
        at = self.at
        while step:
            at += 1
            while at < len(self.items) and self.items[at].only(("filler", "all", "any", "exist")):
                at += 1
            if at >= len(self.items):
                return None
            step -= 1
        return self.items[at]

    def before(self) -> Item | None:
        """The item before, fillers left out."""
        at = self.at - 1
        while at >= 0 and self.items[at].only(("filler",)):
            at -= 1
        return self.items[at] if at >= 0 else None

    def take_negation(self) -> Negation:
        """The pending negation, used up."""
        said, self.negation = self.negation, ""
        return said

    @property
    def of_values(self) -> bool:
        """Whether a value of the rows' column is measured, not their number or sum."""
        return self.measure in ("maximum", "minimum", "average")

    def doubt(self, factor: float) -> None:
        """Something was assumed: the confidence is multiplied with this."""
        self.doubts.append(factor)

    # Targets

    def targets(self) -> list[Target]:
        """From the innermost to the head."""
        found: list[Target] = []
        one = self.current
        while one is not None:
            found.append(one)
            one = one.parent
        if self.head is not None and self.head not in found:
            found.append(self.head)
        return found

    def set_head(self, found: Entity) -> Target:
        """The entity that is asked for; what waited for it is applied by the caller."""
        self.head = self.current = Target(found)
        return self.head

    def child(self, found: Entity, negation: Negation, comparison: Comparison = ">=", count: int = 1) -> Target:
        """An entity that rows of the current target are related to."""
        assert self.current is not None
        target = Target(found, [], self.current, bool(negation), comparison, count)
        self.children.append(target)
        return target


def attribute_of(one: Entity, item: Item) -> Attribute | None:
    """The column of an entity that a phrase names, the likeliest."""
    columns = item.columns.get(one.name)
    return one.attributes.get(columns[0]) if columns else None


def state_piece(state: State, negation: Negation) -> Piece:
    """What a word for a state requires."""
    condition = state.condition
    inner = condition.item if isinstance(condition, Not) else condition
    dimension = f"column:{inner.column}" if isinstance(inner, Test) else f"state:{state.says}"
    piece = Piece(dimension, condition, state.says or state.words[0])
    return piece.negated() if negation else piece


def close(child: Target) -> Piece | None:
    """What a related entity requires of its parent; None when the two have nothing to do with each other."""
    assert child.parent is not None
    where = child.condition()
    steps = paths.path(child.parent.entity.name, child.entity.name)
    if (child.comparison, child.count) != (">=", 1) and len(steps) > 1:
        return _own_count(child)
    if child.count > 1 and steps and steps[-1].column == "id" and not _several(steps[-1].own, child, steps):
        return None  # "machines of more than 3 projects": each has one
    condition = paths.related(child.parent.entity.name, child.entity.name, where, child.comparison, child.count)
    if condition is None:
        return None
    if child.most is not None:
        upper = paths.related(child.parent.entity.name, child.entity.name, where, "<=", child.most)
        condition = both(condition, upper) if upper is not None else condition
    said = " ".join(piece.words for piece in child.pieces)
    amount = "" if (child.comparison, child.count) == (">=", 1) else f"{_SAID[child.comparison]} {child.count} "
    words = f"with {amount}{child.entity.plural}{' ' + said if said else ''}".strip()
    piece = Piece(f"related:{child.entity.name}", condition, words, tuple(n for p in child.pieces for n in p.named))
    if child.negated:
        return Piece(piece.dimension, Not(condition), words.replace("with ", "without ", 1), piece.named)
    return piece


def _several(own: str, child: Target, way: tuple[Relation, ...]) -> bool:
    """Whether the last step leads from one row to several."""
    assert child.parent is not None
    start = child.parent.entity if len(way) == 1 else entity(way[-2].to)
    attribute = start.attributes.get(own)
    return attribute is None or attribute.is_list or own == "id"


# Numbers of related rows over more than one step that an entity has as a column of its own.
COUNTS = {("security_group", "server"): "attached_vm_count", ("security_group", "network"): "attached_network_count"}


def _own_count(child: Target) -> Piece | None:
    assert child.parent is not None
    column = COUNTS.get((child.parent.entity.name, child.entity.name))
    if column is None or child.pieces or child.comparison == "!=":
        return None
    words = f"with {_SAID[child.comparison]} {child.count} {child.entity.plural}"
    return Piece(f"column:{column}", Test(column, child.comparison, (child.count,)), words)


_SAID = {">": "more than", ">=": "at least", "<": "fewer than", "<=": "at most", "=": "exactly", "!=": "other than"}


def is_plural(item: Item) -> bool:
    """Whether a word for an entity was said in the plural."""
    plurals = {word for name in item.entities for word in entity(name).plural_words}
    return item.said in {word.lower() for word in plurals}
