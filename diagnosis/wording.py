"""How figures and lists are written in texts, and templates that hold the texts."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jinja2


def percent(share: float) -> str:
    """`12.3 %`; two decimals below one percent."""
    digits = 2 if 0 < abs(share) < 0.01 else 1
    written = f"{100 * share:.{digits}f}"
    return f"{written.removesuffix('.0')} %"


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """`a, b and c`, or with another word than "and"."""
    *others, end = list(words) or ["none"]
    return f"{', '.join(others)} {last} {end}" if others else end


def templates(folder: Path, **options: Any) -> jinja2.Environment:
    """The plain texts of a folder; `options` are those of the environment."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    environment.filters |= {
        "capital": lambda text: text[0].upper() + text[1:],
        "listed": listed,
        "percent": percent,
        "thousands": "{:,.0f}".format,
    }
    return environment


def phrases(file: Path) -> Callable[..., str]:
    """`say(name, …)`: the text of a macro of a template, white space made one space."""
    module = templates(file.parent).get_template(file.name).module

    def say(name: str, *arguments: Any) -> str:
        return " ".join(getattr(module, name)(*arguments).split())

    return say
