"""How packers fill rows with the same Examples, as a table."""

from collections.abc import Sequence

from rich.table import Table

from ...tasks.shares.packers import Packing


def packing_table(packings: Sequence[Packing]) -> Table:
    """Rows needed, how full they are, and how fast they were packed."""
    table = Table(title="Packing of the same examples")
    table.add_column("packer")
    for column in ("rows", "slots filled", "examples/s"):
        table.add_column(column, justify="right")
    for packer, rows, filled, speed in packings:
        table.add_row(packer, f"{rows:,}", f"{filled:.2%}", f"{speed:,.0f}")
    return table
