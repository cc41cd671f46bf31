"""Keys of the tree, and the two ways into a resource that work from everywhere: `t` and `d`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.state import View

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.panes.tree import Node, TreePane


class Trees:
    """Mixed into the app."""

    def action_tree(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The tree of the resource under the cursor, else of the one that the view is about."""
        self._open_as("tree")

    def action_describe(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """All that is known of it."""
        self._open_as("detail")

    def _open_as(self: QuarterdeckApp, kind: str) -> None:  # type: ignore[misc]
        from tui.copying import subject_of

        view = self.pane.view
        subject = subject_of(self.pane, self.table.current)
        if subject is None:
            self.notice("the line under the cursor is no resource")
            return
        type, key, _ = subject
        self.open_view(View(kind, type, clouds=view.clouds, projects=view.projects, at=view.at, subject=key))

    def action_expand(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Open the branch; one that is open already: go to its first line."""
        found = self._branch()
        if found is not None and not self._set_branch(*found, True) and found[0].is_open(found[1]):
            self.table.move_rows(1)

    def action_collapse(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Close the branch; one that is closed: go to the line that it hangs on."""
        found = self._branch()
        if found is None or self._set_branch(*found, False):
            return
        path = found[1].path
        if len(path) > 1:
            self.table.go_to(path[:-1], self.table.page_rows // 2)

    def action_toggle_branch(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Open or close the branch."""
        if (found := self._branch()) is not None:
            self._set_branch(*found, not found[0].is_open(found[1]))

    def _branch(self: QuarterdeckApp) -> tuple[TreePane, Node] | None:  # type: ignore[misc]
        from tui.panes.tree import TreePane

        row, pane = self.table.current, self.pane
        node = pane.node(row) if row is not None and isinstance(pane, TreePane) else None
        return None if node is None else (pane, node)  # type: ignore[return-value]

    def _set_branch(self: QuarterdeckApp, pane: TreePane, node: Node, opened: bool) -> bool:  # type: ignore[misc]
        changed = pane.set_open(node, opened)
        if changed:
            self.table.reload()
        return changed
