"""Two calls side by side, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from vision_agent.replay.comparison import ComparedRow


def comparison_table(rows: Sequence[ComparedRow]) -> Table:
    """Make the table; differences stand out, and carry a mark for readers who see no colours."""
    table = Table("", "Recorded call", "This call", "", box=None, pad_edge=False)
    turn = 0
    for row in rows:
        if row.turn != turn:
            turn = row.turn
            table.add_row(Text(f"Turn {turn}" if turn else "The call", "bold"))
        style = "yellow" if row.same is False else ""
        mark = Text("≠" if row.same is False else "", "bold yellow")
        table.add_row(Text(row.what, "dim"), Text(row.first), Text(row.second, style), mark)
    return table
