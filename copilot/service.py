"""The built-in copilot: question in, answer out. Reads, never changes; nothing leaves the machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from copilot.answers import MAX_QUESTION, SURE, Answer, Context
from copilot.execution.result import QueryError
from copilot.grammar.asking_back import asked_back, unsure
from copilot.grammar.assembling import assemble
from copilot.grammar.confidence import confidence_of, unknown_words
from copilot.grammar.finishing import finish
from copilot.grammar.following import follow, follows
from copilot.grammar.frames import Frame
from copilot.grammar.listed import settle
from copilot.grammar.parse import Parse
from copilot.grammar.pointing import nothing_there, pointless
from copilot.grammar.scanning import Scanner
from copilot.linking.names import Names
from copilot.sources import NotAllowed, NotAvailable, Sources
from copilot.topics.registry import TOPICS
from copilot.topics.topic import Asked, Topic
from store.formulas import inert

_POINTING = {"only", "same", "what_about"}  # words that go on from a question
ACCEPTED = 0.35  # below it nothing is answered, only offered


@dataclass(slots=True)
class Candidate:
    """One way to take the question."""

    confidence: float
    frame: Frame | None = None
    topic: Topic | None = None
    asked: Asked | None = None


class Copilot:
    """Answers questions. Holds nothing of an asker: what it may read comes with each question."""

    def ask(self, question: str, context: Context, sources: Sources) -> Answer:
        """The answer. Never raises for what a person may type; raises ValueError for an empty or overlong question."""
        text = " ".join(question.split())
        if not text or len(question) > MAX_QUESTION:
            raise ValueError(f"a question has 1 to {MAX_QUESTION} characters")
        try:
            return self._ask(text, context, sources)
        except (NotAllowed, NotAvailable) as error:
            return Answer("apology", str(error), confidence=0.0)
        except QueryError as error:
            return Answer("apology", f"This could not be asked: {error}", confidence=0.0)

    def _ask(self, question: str, context: Context, sources: Sources) -> Answer:
        names = Names.of(sources)
        items = Scanner(question, names, context).scan()
        if word := pointless(items, context):
            return nothing_there(word, context)
        parse = assemble(items, names, context.selected)
        settle(parse, sources)
        frame = self._frame(parse, context)
        left = unknown_words(parse)
        asked = Asked(question, tuple(items), parse, frame, left, context, sources, names)
        for candidate in self._candidates(asked):
            answer = self._answer(candidate, asked)
            if answer is not None:
                return _told(answer, asked)
        return _told(unsure(asked), asked)

    def _frame(self, parse: Parse, context: Context) -> Frame | None:
        before = next((turn.frame for turn in reversed(context.turns) if isinstance(turn.frame, Frame)), None)
        if before is not None and follows(parse, before):
            followed = follow(before, parse, context)
            if followed is not None:
                return followed
        if parse.pointing and not context.selected:
            parse.unresolved.append(parse.pointing)
        elif before is None and parse.head is None and (parse.follow & _POINTING or _begins_with_order(parse)):
            parse.doubt(0.5)  # "only the stopped ones", "sort by ram": of what?
        return finish(parse, context)

    def _candidates(self, asked: Asked) -> list[Candidate]:
        """Ways to take the question, the likeliest first."""
        found = [Candidate(topic.claims(asked), topic=topic) for topic in TOPICS]
        if asked.frame is not None:
            found.append(Candidate(confidence_of(asked.parse, asked.left), frame=asked.frame))
        elif asked.parse.ambiguous:
            found.append(Candidate(ACCEPTED))
        found.sort(key=lambda one: -one.confidence)
        return [one for one in found if one.confidence >= ACCEPTED]

    def _answer(self, candidate: Candidate, asked: Asked) -> Answer | None:
        if candidate.topic is not None:
            answer = candidate.topic.answer(asked)
            if answer is None:
                return None
            return replace(
                answer,
                topic=answer.topic or candidate.topic.name,
                intent=answer.intent or candidate.topic.name,
                confidence=min(answer.confidence, candidate.confidence),
                data_at=answer.data_at or _data_at(answer, asked),
            )
        if asked.parse.ambiguous:
            return asked_back(asked)
        if candidate.confidence < SURE and asked.left:
            return None  # an answer without the words that were not understood would answer another question
        from copilot.grammar.answering import framed

        if candidate.frame is None:
            return None
        return framed(candidate.frame, candidate.confidence, asked)


def _data_at(answer: Answer, asked: Asked) -> datetime | None:
    """When what a topic's rows are about was listed."""
    types = tuple(dict.fromkeys(key[0] for key in answer.table.keys if key)) if answer.table is not None else ()
    return asked.sources.data_at(types) if types else None


def _begins_with_order(parse: Parse) -> bool:
    return bool(parse.items) and parse.items[0].is_concept("sort", "per")


def _told(answer: Answer, asked: Asked) -> Answer:
    """With what the asker should know of how the question was taken."""
    corrected = [(item.text, item.corrected) for item in asked.items if item.corrected]
    understood = answer.understood
    if corrected and not understood:
        understood = "; ".join(f"{typed} taken for {taken}" for typed, taken in corrected[:4])
    if not answer.topic:  # a topic says by itself what it passed over; what the grammar missed is not its measure
        answer = replace(answer, unknown=answer.unknown or asked.left)
    return _shown(replace(answer, understood=understood))


def _shown(answer: Answer) -> Answer:
    """With nothing in its words that would act on a terminal, whatever people and clouds call things."""
    return replace(
        answer,
        text=inert(answer.text),
        understood=inert(answer.understood),
        scope=tuple(map(inert, answer.scope)),
        unknown=tuple(map(inert, answer.unknown)),
        choices=tuple(map(inert, answer.choices)),
        proposals=tuple(replace(one, label=inert(one.label)) for one in answer.proposals),
    )
