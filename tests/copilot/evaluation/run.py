"""Asks all questions and counts the verdicts: `python -m tests.copilot.evaluation.run`, or `make eval-copilot`.

Failures are shown of the tuning half only, unless `--half held-out` is asked for: nobody shall tune on the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from copilot.answers import Answer, Context, Named, Turn
from store.estate.reading.models import Scope
from tests.copilot.evaluation.cases import HALVES, Case, Question, questions
from tests.copilot.evaluation.expect import Changes, Either, Expected, Rows, Saying, Top
from tests.copilot.evaluation.generate import world
from tests.copilot.evaluation.judge import VERDICTS, Verdict, verdict
from tests.copilot.evaluation.questions.every import ALL
from tests.copilot.evaluation.slots import Slots
from tests.copilot.evaluation.sources import Fake, opened
from tests.copilot.evaluation.styles import STYLES, Style
from tests.copilot.evaluation.world import World, key

if TYPE_CHECKING:
    from copilot.service import Copilot


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked: the answer (None: asking raised `error`), what it is worth, and how long it took."""

    world: str
    question: Question
    answer: Answer | None
    verdict: Verdict
    seconds: float
    error: str = ""

    @property
    def sure(self) -> bool:
        """Whether it was answered with confidence; an error counts as that."""
        return self.answer is None or self.answer.sure


def ask_all(cases: Iterable[Case] = ALL, styles: Iterable[Style] = STYLES, half: str = "") -> Iterator[Asked]:
    """Every question to every world."""
    from copilot.service import Copilot

    cases = list(cases)
    with tempfile.TemporaryDirectory(prefix="qdeck-eval-") as folder:
        for style in styles:
            made = world(style)
            with opened(made, Path(folder)) as sources:
                copilot = Copilot()
                for question in questions(made, cases):
                    if not half or question.half == half:
                        yield ask(copilot, made, sources, question)


def ask(copilot: Copilot, made: World, sources: Fake, question: Question) -> Asked:
    """All turns of one question; the last is judged and timed."""
    slots = Slots(made)
    context = Context(now=made.now, zone=made.zone, selected=_selected(question.case, slots))
    if question.case.asker:
        sources = replace(sources, scope=Scope(projects=(getattr(slots, question.case.asker)["id"],)))
    began = time.perf_counter()
    try:
        for text in question.turns:
            began = time.perf_counter()
            answer = copilot.ask(text, context, sources)
            turn = Turn(text, answer.frame, answer.query, answer.named, answer.topic)
            context = replace(context, turns=(*context.turns, turn))
    except Exception as error:  # every question gets a verdict
        took = time.perf_counter() - began
        return Asked(made.name, question, None, "wrong", took, f"{type(error).__name__}: {error}")
    return Asked(made.name, question, answer, verdict(answer, question.expected), time.perf_counter() - began)


def _selected(case: Case, slots: Slots) -> tuple[Named, ...]:
    if not case.selected:
        return ()
    type, _, name = case.selected.partition(":")
    row = getattr(slots, name)
    return (Named(type, key(row), row["name"], row["name"], row.get("project") or ""),)


# --- what comes of it


@dataclass(frozen=True, slots=True)
class Score:
    """Verdicts of some questions, and those given with confidence."""

    verdicts: Counter[Verdict]
    sure: int
    sure_right: int

    @classmethod
    def of(cls, asked: Iterable[Asked]) -> Score:
        """The score of these."""
        asked = list(asked)
        sure = [one for one in asked if one.sure]
        return cls(Counter(one.verdict for one in asked), len(sure), sum(one.verdict == "right" for one in sure))

    @property
    def total(self) -> int:
        """How many questions."""
        return sum(self.verdicts.values())

    @property
    def right(self) -> float:
        """Percent answered right."""
        return 100 * self.verdicts["right"] / max(self.total, 1)

    @property
    def trust(self) -> float:
        """Percent right among those answered with confidence."""
        return 100 * self.sure_right / max(self.sure, 1)


def report(asked: list[Asked]) -> str:
    """A line for every kind, of both halves side by side."""
    head = f"{'kind':<16}" + "".join(
        f"| {half:>9}: {'right':>6} {'wrong':>6} {'asked':>6} {'none':>6} {'%':>6} " for half in HALVES
    )
    lines = [head, "-" * len(head)]
    for kind in (*dict.fromkeys(one.question.case.kind for one in asked), "all"):
        line = f"{kind:<16}"
        for half in HALVES:
            score = Score.of(
                one for one in asked if one.question.half == half and kind in ("all", one.question.case.kind)
            )
            line += (
                f"| {score.total:>9}  "
                + " ".join(f"{score.verdicts[v]:>6}" for v in VERDICTS)
                + f" {score.right:>6.1f} "
            )
        lines.append(line)
    for half in HALVES:
        score = Score.of(one for one in asked if one.question.half == half)
        lines.append(
            f"{half}: {score.right:.2f} % right; {score.trust:.2f} % right of {score.sure} answered with confidence"
        )
    times = sorted(one.seconds for one in asked)
    if times:
        lines.append(
            f"time: p50 {times[len(times) // 2] * 1000:.1f} ms, p95 {times[len(times) * 95 // 100] * 1000:.1f} ms"
        )
    return "\n".join(lines)


def told(expected: Expected) -> str:
    """What is expected, in few words."""
    if isinstance(expected, Either):
        return " or ".join(told(one) for one in expected.options)
    if isinstance(expected, Saying):
        return f"{told(expected.of)}, said as {' or '.join(expected.words)}"
    if isinstance(expected, Rows):
        return f"{len(expected.keys)} rows of {expected.type}"
    if isinstance(expected, Changes):
        return f"changes of {len(expected.keys)} resources"
    if isinstance(expected, Top):
        return f"in this order {expected.values}"
    return str(expected)


def failures(asked: Iterable[Asked]) -> Iterator[str]:
    """What was not right: the question, what came, what was expected."""
    for one in asked:
        if one.verdict != "right":
            said = (
                one.error
                if one.answer is None
                else f"{one.answer.outcome} {one.answer.confidence:.2f} {one.answer.text[:160]!r}"
            )
            value = "" if one.answer is None else f" value={one.answer.value!r:.60} unknown={one.answer.unknown}"
            rows = "" if one.answer is None or one.answer.table is None else f" rows={one.answer.table.total}"
            yield (
                f"[{one.verdict}] {one.question.case.kind} @{one.world}: {' >> '.join(one.question.turns)}\n"
                f"    said: {said}{value}{rows}\n    expected: {told(one.question.expected)[:300]}"
            )


def main(arguments: list[str] | None = None) -> int:
    """Ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", action="store_true", help="list what was not right")
    parser.add_argument("--kind", action="append", default=[], help="only this kind (may be repeated)")
    parser.add_argument("--half", choices=HALVES, help="only this half")
    parser.add_argument("--world", action="append", default=[], help="only this world (may be repeated)")
    parser.add_argument("--verdict", choices=VERDICTS, help="of the failures only these")
    options = parser.parse_args(arguments)
    chosen = [case for case in ALL if not options.kind or case.kind in options.kind]
    styles = [style for style in STYLES if not options.world or style.name in options.world]
    asked = list(ask_all(chosen, styles, options.half or ""))
    print(report(asked))
    if options.failures:
        shown = [one for one in asked if one.question.half == (options.half or "tuning")]
        for text in failures(one for one in shown if not options.verdict or one.verdict == options.verdict):
            print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
