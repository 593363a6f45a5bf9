"""What tables hold, and what a console prints of them."""

import io

import pytest
from rich.console import Console
from rich.text import Text


@pytest.fixture(scope="session")
def rows_of():
    """`rows_of(table)`: its cells as plain text, row by row."""

    def rows(table) -> list[list[str]]:
        cells = ([_plain(cell) for cell in column.cells] for column in table.columns)
        return [list(row) for row in zip(*cells, strict=True)]

    return rows


def _plain(cell) -> str:
    return cell.plain if isinstance(cell, Text) else Text.from_markup(cell).plain


@pytest.fixture(scope="session")
def printed():
    """`printed(print_what, *arguments)`: what it prints on a console, as plain text."""

    def text(print_what, *arguments) -> str:
        console = Console(record=True, file=io.StringIO(), width=200)
        print_what(*arguments, console)
        return console.export_text()

    return text
