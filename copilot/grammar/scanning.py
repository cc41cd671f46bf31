"""From tokens to items: at every place the longest thing that is known there."""

from __future__ import annotations

from dataclasses import replace

from copilot.answers import Context
from copilot.grammar.items import Item, words_of
from copilot.grammar.lexicon import Lexicon, Senses, lexicon
from copilot.language import numbers, spelling, times
from copilot.language.tokens import tokenise
from copilot.linking.linker import Link, link
from copilot.linking.names import Names
from copilot.reading import Token

# Words before a name: what follows is more likely a name than a slip.
_BEFORE_NAMES = ("in", "on", "of", "with", "belong", "except", "per", "compare", "what_about", "only", "same")
# Words that stand between a type and its name: "host called cmp-03".
_CALLED = ("named", "is")
# The linker is asked for these when nothing says which type it is.
_NOT_ALONE = frozenset({"role", "group", "service", "endpoint", "keypair"})
_CALLED_BY = ("called", "contain", "include", "named", "containing", "contains", "like", "starting", "ending", '"')
_PRONOUNS = ("it", "its", "that", "them", "they", "their", "these", "those")
VALUES = ("address", "mac", "id", "quoted")


class Scanner:
    """Items of one question."""

    def __init__(self, question: str, names: Names, context: Context) -> None:
        self.question = question
        self.words: Lexicon = lexicon()
        self.tokens = tokenise(question, self.words.words)
        self.texts = words_of(self.tokens)
        self.names = names
        self._split_non()
        self.mended: dict[int, str] = {}
        self._mend()
        self.context = context
        self.items: list[Item] = []

    def scan(self) -> list[Item]:
        """All items, in order."""
        at = 0
        while at < len(self.tokens):
            item = self._next(at)
            self.items.append(item)
            at = item.end
        return self.items

    def _split_non(self) -> None:
        """ "non-ssd" as "not ssd"."""
        tokens: list[Token] = []
        for token in self.tokens:
            if token.kind != "name" or not token.word.startswith("non-") or self.names.exact(token.text):
                tokens.append(token)
                continue
            cut = token.start + 4
            tokens.append(Token("non", "not", token.start, token.start + 3))
            tokens.append(Token(token.text[4:], token.word[4:], cut, token.end, "name"))
        self.tokens = tuple(tokens)
        self.texts = words_of(self.tokens)

    def _mend(self) -> None:
        """Slips in known words, before anything is read: "mroe than", "odler than"."""
        tokens = list(self.tokens)
        for at, token in enumerate(tokens):
            if token.kind != "word" or token.word in self.words.spoken or self.names.exact(token.word):
                continue
            meant = spelling.common(token.word) or spelling.correct(token.word, self.words.correctable)
            if meant is None or (at and tokens[at - 1].word in _CALLED_BY) or self._in_name(at):
                continue
            tokens[at] = replace(token, word=meant)
            self.texts[at] = self.mended[at] = meant
        self.tokens = tuple(tokens)

    def _in_name(self, at: int) -> bool:
        """Whether the word is a part of a name of several words that stands there."""
        found = link(self.tokens, max(at - 1, 0), self.names, (), question=self.question, known=self.words.words)
        return found is not None and found.exact and found.eaten > 1

    def _next(self, at: int) -> Item:
        token = self.tokens[at]
        phrase = self._unless_time(at, self.words.longest_at(self.texts, at))
        if token.kind == "mark" and not ("*" in self._raw(at) and self.items and self.items[-1].is_concept("named")):
            return self._period(at, None) or self._quantity(at) or self._item(at, 1, senses=None, value="")
        if token.kind in VALUES:
            return self._value(at)
        behind = self.items[-1] if self.items else None
        if behind is not None and behind.is_concept("starts", "ends", "contains"):
            return self._text(at)
        if behind is not None and behind.is_concept("named") and "*" in self._raw(at):
            return self._text(at)
        return (
            self._period(at, phrase)
            or self._selected(at, phrase)
            or self._quantity(at)
            or self._ranked(at)
            or self._place(at, phrase)
            or self._joined_name(at)
            or self._typed(at, phrase)
            or self._plain_name(at, phrase)
            or (self._item(at, phrase[1], senses=phrase[0]) if phrase else None)
            or self._mended(at)
        )

    def _item(self, at: int, length: int, **values: object) -> Item:
        first, last = self.tokens[at], self.tokens[at + length - 1]
        text = " ".join(token.text for token in self.tokens[at : at + length])
        item = Item(at, at + length, text if first is not last else first.text, **values)  # type: ignore[arg-type]
        item.said = " ".join(self.texts[at : at + length])
        if any(one in self.mended for one in range(at, at + length)):
            item.corrected = " ".join(self.texts[at : at + length])
        return item

    def _period(self, at: int, phrase: tuple[Senses, int] | None) -> Item | None:
        before = self.items[-1] if self.items else None
        if before is not None and "." in self.tokens[at].text and "ips" in before.columns.get("server", ()):
            return None  # "ip 10.11." is no day of November
        found = times.period(self.tokens, at, self.context.now, self.context.zone)
        if found is None or (phrase and phrase[1] > found[1]):
            return None
        return self._item(at, found[1], period=found[0])

    def _place(self, at: int, phrase: tuple[Senses, int] | None) -> Item | None:
        """A cloud or region by its name: "vms in eu-west", "region eu-west"."""
        token = self.tokens[at]
        if token.word in ("region", "cloud") and at + 1 < len(self.tokens):
            found = self.names.place(self.tokens[at + 1].text)
            if found is not None and found.type == token.word:
                return self._item(at, 2, named=(found,), typed_as=found.type)
        before = self.items[-1] if self.items else None
        expected = before is not None and before.is_concept(*_BEFORE_NAMES)
        if phrase is not None and not expected:
            return None
        if token.kind not in ("word", "name", "quoted") or (phrase is not None and phrase[0].entities):
            return None
        found = self.names.place(token.text)
        if found is None or self.names.exact(token.text):
            return None
        item = self._item(at, 1, named=(found,))
        if at + 1 < len(self.tokens) and self.texts[at + 1] == found.type:
            item.end, item.typed_as = at + 2, found.type
        return item

    def _selected(self, at: int, phrase: tuple[Senses, int] | None) -> Item | None:
        """ "this machine", "it" of a first question: what is selected in the app."""
        selected = self.context.selected
        if not selected and self.context.turns and self.context.turns[-1].frame is None:
            selected = self.context.turns[-1].named[:1]  # "show db-01", then "which volumes does it have"
        if not selected or phrase is None:
            return None
        senses, length = phrase
        framed = any(turn.frame is not None for turn in self.context.turns)
        pointing = "this" in senses.concepts or (
            "them" in senses.concepts and not framed and self.texts[at + length - 1] in _PRONOUNS
        )
        if self.texts[at] == "that" and self.items and (self.items[-1].entities or self.items[-1].named):
            return None
        if not pointing:
            return None
        behind = self.words.longest_at(self.texts, at + length) if at + length < len(self.tokens) else None
        if behind is not None and behind[0].entities:
            fitting = tuple(one for one in selected if one.type in behind[0].entities)
            if not fitting and self.texts[at] not in ("its", "their", "his"):
                return None
            if not fitting:
                return self._item(at, length, named=selected, typed_as=selected[0].type)
            return self._item(at, length + behind[1], named=fitting, typed_as=fitting[0].type)
        if self.items and self.items[-1].named == selected:  # "this machine here"
            return self._item(at, length, senses=Senses(concepts=["filler"]))
        return self._item(at, length, named=selected, typed_as=selected[0].type)

    def _quantity(self, at: int) -> Item | None:
        found = numbers.quantity(self.tokens, at)
        if found is None:
            return None
        start = self.tokens[at].start
        signed = self.question[max(start - 2, 0) : start] in ("-", " -", "=-", "<-", ">-")
        if signed and self.question[start].isdigit():
            return self._item(at, found[1])  # "-3 vcpus": nothing has less than nothing
        return self._item(at, found[1], quantity=found[0])

    def _unless_time(self, at: int, phrase: tuple[Senses, int] | None) -> tuple[Senses, int] | None:
        """A phrase without its article where that begins a time: "did we have a week ago"."""
        if phrase is None or phrase[1] < 2 or self.texts[at + phrase[1] - 1] not in ("a", "an", "the", "any"):
            return phrase
        if times.period(self.tokens, at + phrase[1] - 1, self.context.now, self.context.zone) is None:
            return phrase
        shorter = self.words.get(self.texts[at : at + phrase[1] - 1])
        return (shorter, phrase[1] - 1) if shorter is not None else phrase

    def _text(self, at: int) -> Item:
        """What stands behind "starting with": everything up to the next blank, whatever it may mean elsewhere."""
        first = self.tokens[at]
        rest = self._raw(at)
        ahead = self.words.longest_at(self.texts, at)
        said = ahead is not None and bool(ahead[0].entities or ahead[0].states) and first.kind == "word"
        if ahead and said and self.items[-1].is_concept("contains") and self._entity_at(at, ahead):
            return self._item(at, ahead[1], senses=ahead[0])  # "projects containing stopped vms"
        if self.items[-1].is_concept("contains") and first.kind == "name":
            heads = {name for item in self.items for name in item.entities}
            exact = tuple(one for one in self.names.exact(rest) if one.type not in heads)
            if exact:  # "aggregates containing cmp-02"
                return self._item(at, 1, named=exact)
        if first.word in ("the", "a", "an", "word", "text", "name", "names") or (
            first.kind == "mark" and "*" not in rest
        ):
            phrase = self.words.longest_at(self.texts, at)
            return self._item(at, phrase[1], senses=phrase[0]) if phrase else self._item(at, 1)
        length = 1
        while at + length < len(self.tokens) and self.tokens[at + length].start < first.start + len(rest):
            length += 1
        return self._item(at, length, value=rest.strip("\"'`"))

    def _entity_at(self, at: int, phrase: tuple[Senses, int]) -> bool:
        """Whether an entity stands there, by itself or behind a state."""
        if phrase[0].entities:
            return self._is_plural(self.texts[at : at + phrase[1]])
        behind = self.words.longest_at(self.texts, at + phrase[1]) if at + phrase[1] < len(self.tokens) else None
        return behind is not None and bool(behind[0].entities)

    def _raw(self, at: int) -> str:
        """What was typed from a token to the next blank."""
        found = self.question[self.tokens[at].start :].split(maxsplit=1)
        return found[0].rstrip(",;?!") if found else ""

    def _value(self, at: int) -> Item:
        """An address, id or quoted text: of something in the store, or just a text to look for."""
        token = self.tokens[at]
        found = self._link(at, ())
        text = token.text.strip("\"'`")
        if found is None:
            return self._item(at, 1, value=text)
        item = self._item(at, found.eaten, named=found.named, exact=found.exact, value=text)
        return self._typed_behind(item)

    def _typed(self, at: int, phrase: tuple[Senses, int] | None) -> Item | None:
        """A type word with a name behind it: "host cmp-03", "tenant acme prod", "vm called web-03"."""
        if phrase is None or not phrase[0].entities:
            return None
        senses, length = phrase
        start = at + length
        called = start < len(self.tokens) and self.texts[start] in ("called", "named")
        start += called
        if start >= len(self.tokens) or self.tokens[start].kind == "mark":
            return None
        is_plural = self._is_plural(self.texts[at : at + length])
        if "*" in self._raw(start):
            return None
        for entity in senses.entities:
            found = self._link(start, (entity,))
            if found is None or not self._believable(start, found, is_plural, called):
                continue
            return self._item(
                at, start - at + found.eaten, named=found.named, exact=found.exact, typed_as=entity, plural=is_plural
            )
        return None

    def _believable(self, start: int, found: Link, is_plural: bool, called: bool) -> bool:
        """Whether what follows a type word is a name rather than the sentence going on."""
        known = self.words.longest_at(self.texts, start)
        before = self.items[-1] if self.items else None
        placed = called or (not is_plural and before is not None and before.is_concept("in", "on", "of", "belong"))
        if before is not None and before.is_concept("or", "and"):  # "flavor medium or flavor large"
            placed = placed or any(item.typed_as == found.named[0].type for item in self.items)
        if not placed and self.tokens[start].kind == "word" and self._goes_on(start, known):
            return False  # "vm count", "new vms today": whoever is called so
        if known is None and is_plural and not found.exact and self.names.exact(self._raw(start)):
            return False  # "vols db-01": of the machine of that name
        if known is None:
            return found.exact or not is_plural or self.tokens[start].kind == "name"
        if self.tokens[start].kind in ("name", "quoted") and found.exact:
            return True
        return found.exact and not is_plural and (called or found.eaten >= known[1])

    def _joined_name(self, at: int) -> Item | None:
        """ "networks frontend and backend": after a name and "and", what is called so is of the same type."""
        before = self.items[-1] if self.items else None
        if before is None or not (before.is_concept("and", "or") or before.text == ","):
            return None
        known = next((item for item in reversed(self.items) if item.named), None)
        if known is None or len(self.items) - self.items.index(known) > 2:
            return None
        last = self.tokens[at]
        exact = self.names.exact(self.question[last.start : last.end], [one.type for one in known.named])
        return self._item(at, 1, named=tuple(exact)) if exact else None

    def _ranked(self, at: int) -> Item | None:
        """ "whose last backup": a column, elsewhere the newest of backups."""
        if not self.items or self.items[-1].said.split()[-1:] not in (["whose"], ["their"], ["its"], ["with"]):
            return None
        senses = self.words.ranked.get(tuple(self.texts[at : at + 2]))
        return self._item(at, 2, senses=senses) if senses is not None else None

    def _goes_on(self, start: int, known: tuple[Senses, int] | None) -> bool:
        """Whether the sentence goes on with a word that asks, or with a time."""
        if known is not None and known[0].concepts:
            return True
        return times.period(self.tokens, start, self.context.now, self.context.zone) is not None

    def _plain_name(self, at: int, phrase: tuple[Senses, int] | None) -> Item | None:
        """A name by itself."""
        token = self.tokens[at]
        before = self.items[-1] if self.items else None
        expected = before is not None and before.is_concept(*_BEFORE_NAMES)
        if phrase is not None and not (token.kind == "name" or expected):
            return None
        found = self._link(at, ())
        seen = {name for item in self.items for name in item.entities}
        own = tuple(one for one in found.named if one.type in seen) if found is not None and found.exact else ()
        if phrase is not None and expected and own and before is not None and before.is_concept("except", "in", "of"):
            return self._typed_behind(self._item(at, found.eaten if found else 1, named=own))
        if found is None or (phrase is not None and not (found.exact and self._wins(at, found, phrase))):
            return None
        item = self._item(at, found.eaten, named=found.named, exact=found.exact)
        return self._typed_behind(item)

    def _wins(self, at: int, found: Link, phrase: tuple[Senses, int]) -> bool:
        """Whether an exact name that is also a known phrase is meant as the name."""
        if found.eaten > phrase[1]:
            return True
        senses = phrase[0]
        if found.eaten < phrase[1] or senses.entities or senses.states:
            return False
        return self.tokens[at].kind == "name" or not senses.concepts

    def _typed_behind(self, item: Item) -> Item:
        """A name with its type word behind it: "the acme-prod tenant", "cmp-03 host"."""
        phrase = self.words.longest_at(self.texts, item.end) if item.end < len(self.tokens) else None
        if phrase is None or self._is_plural(self.texts[item.end : item.end + phrase[1]]):
            return item
        for entity in phrase[0].entities:
            fitting = tuple(one for one in item.named if one.type == entity)
            if fitting:
                item.named, item.typed_as, item.end = fitting, entity, item.end + phrase[1]
                break
        return item

    def _mended(self, at: int) -> Item:
        """An unknown word: a slip in a known word, a name with a slip, or just unknown."""
        token = self.tokens[at]
        before = self.items[-1] if self.items else None
        expected = before is not None and before.is_concept(*_BEFORE_NAMES)
        for length in range(min(4, len(self.tokens) - at), 0, -1):
            last = self.tokens[at + length - 1]
            if token.kind not in ("word", "name") or last.kind not in ("word", "name", "number"):
                continue
            exact = self.names.exact(self.question[token.start : last.end])
            named = tuple(one for one in exact if not (token.kind == "word" and one.type in _NOT_ALONE))
            if named and not self._runs_into(at, Link(named, False, length, True)):
                return self._typed_behind(self._item(at, length, named=named))
        if expected or token.kind != "word":
            found = self._link(at, ()) or self._guess(at)
            if found is not None:
                return self._typed_behind(self._item(at, found.eaten, named=found.named, exact=found.exact))
        return self._item(at, 1)

    def _guess(self, at: int) -> Link | None:
        """A name that is not quite so in the store, where a name is expected or it looks like one."""
        types: tuple[str, ...] = (
            "project",
            "hypervisor",
            "server",
            "network",
            "image",
            "flavor",
            "volume",
            "domain",
            "user",
        )
        behind = self.words.longest_at(self.texts, at + 1) if at + 1 < len(self.tokens) else None
        if behind and behind[0].entities and not self._is_plural(self.texts[at + 1 : at + 1 + behind[1]]):
            types = tuple(behind[0].entities)
        return self._link(at, types)

    def _link(self, at: int, types: tuple[str, ...]) -> Link | None:
        found = link(self.tokens, at, self.names, types, question=self.question, known=self.words.words)
        if found is not None and not types and self._runs_into(at, found):
            return None
        if found is None or types:
            return found
        plain = self.tokens[at].kind == "word"
        kept = tuple(one for one in found.named if not (plain and one.type in _NOT_ALONE))
        return Link(kept, len(kept) > 1, found.eaten, found.exact) if kept else None

    def _runs_into(self, at: int, found: Link) -> bool:
        """Whether a name of other signs swallows a preposition: "web in their hostname" is no "web-in"."""
        span = self.tokens[at : at + found.eaten]
        typed = self.question[span[0].start : span[-1].end].casefold()
        if len(span) < 2 or any(one.name.casefold() == typed for one in found.named):
            return False
        small = [self.words.longest_at(self.texts, at + place) for place in range(1, len(span))]
        return any(phrase is not None and bool(phrase[0].concepts) for phrase in small)

    def _is_plural(self, words: list[str]) -> bool:
        last = words[-1]
        return last.endswith("s") and last not in ("vps", "dns", "address", "class", "ipaddress")
