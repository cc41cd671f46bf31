"""The menu of what can be copied: a letter does it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.copying import Copy
from tui.dialogs.menu import Choice, MenuPage

LONGEST_SHOWN = 200


class CopyPage(MenuPage):
    """Each line shows what would be copied."""

    def __init__(
        self, about: str, copies: Sequence[Copy], copy: Callable[[Copy], None], back: Callable[[], None]
    ) -> None:
        by_id = {str(number): one for number, one in enumerate(copies)}
        lines = [
            Choice(id, one.key, one.title, help="" if one.reason else one.text()[:LONGEST_SHOWN], reason=one.reason)
            for id, one in by_id.items()
        ]
        super().__init__(about, lines, lambda choice: copy(by_id[choice.id]), back)

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (("enter", "copy"), ("j k", "choose"), ("esc", "leave"))
