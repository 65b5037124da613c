"""Printed text is plain: nothing in it moves the cursor, sets a title or reverses the line."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from vision_agent.terminal import Terminal, one_line, printable

OBEYED = ["\x1b", "\x07", "\x08", "\r", "\x7f", "\x9b", "\u202e", "\u2067", "\u2028", "\ud800"]


def terminal() -> tuple[Terminal, io.StringIO]:
    file = io.StringIO()
    return Terminal(file=file, force_terminal=True, color_system=None, width=30), file


@pytest.mark.parametrize("char", OBEYED)
def test_what_a_terminal_obeys_is_replaced(char: str) -> None:
    assert printable(f"a{char}b") == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("text", ["", "plain", "Grüße, 世界", "👩‍🚀 🏳️‍🌈", "שלום", "a\tb\nc"])
def test_people_s_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_one_line_is_one_line() -> None:
    assert one_line("a\n b\r\n\x1b c\u2028d") == "a b \N{REPLACEMENT CHARACTER} c d"


@pytest.mark.parametrize("char", OBEYED)
def test_nothing_that_is_printed_by_any_way_reaches_the_terminal_as_a_command(char: str) -> None:
    console, file = terminal()
    table = Table()
    table.add_row(f"cell{char}")
    console.say(f"said{char}")
    console.print(f"[bold]marked up{char}[/]")
    console.print(Text(f"text{char}"))
    console.print(table)
    assert char not in file.getvalue().replace("\r\n", "\n")


def test_what_is_said_is_neither_markup_nor_wrapped() -> None:
    console, file = terminal()
    console.say("[red]not red[/] " + "word " * 20)
    assert file.getvalue() == "[red]not red[/] " + "word " * 20 + "\n"
