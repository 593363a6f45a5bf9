"""The recipe of a recording, from gin files that need not describe a whole run."""

from collections.abc import Sequence
from typing import Any

from ...objectives.errors import UsageError, require_count, require_seed
from ...tasks.corpora import folder_settings
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_examples
from ...tasks.recorded.identity import Layout
from ...tasks.recorded.recipe import Recipe
from ...tasks.tokens.vocabulary import names as vocabulary_names
from . import resolved
from .config import Config, load
from .mixture import mixture_of, rows_of


def recipe_of(
    files: Sequence[str],
    bindings: Sequence[str],
    *,
    layout: Layout,
    row_count: int | None,
    passes: int | None,
    part_examples: int,
    held_out_rows: int,
) -> Recipe:
    """The recipe that gin files and options describe.

    Args:
      files: gin files.
      bindings: that win over the files.
      layout: of the rows.
      row_count: of each training group; None for `passes`, or the default.
      passes: over the corpus; None for the default: of mixed rows those that the run
        needs, of others one pass.
      part_examples: Examples of a part.
      held_out_rows: of each task.

    Raises:
      UsageError: any mistake in the mixture or the amounts.
    """
    config = load(files, bindings)
    mixture, rows = mixture_of(config), rows_of(config)
    check_examples(mixture, rows)
    if layout == "mixed" and mixture.schedule:
        raise UsageError(
            "Mixture.schedule changes the rates over the run, and mixed rows have one "
            "set of rates; record with --layout=per_objective, which is mixed when it "
            "is served."
        )
    if row_count is not None and passes is not None:
        raise UsageError("give --rows or --passes, not both.")
    if row_count is None and passes is None and layout == "mixed":
        steps, batch_rows = (_bound(config, n) for n in ("steps", "batch_rows"))
        if steps is None or batch_rows is None:
            raise UsageError(
                "the gin files do not bind train.steps and train.batch_rows, so say "
                "how much to record: --rows=N or --passes=K."
            )
        row_count = steps * batch_rows
    if row_count is not None:
        require_count("--rows", row_count, most=2**62)
    if passes is not None:
        require_count("--passes", passes)
    seed = _bound(config, "seed")
    if seed is None:
        raise UsageError(
            "the gin files do not bind train.seed, which every row depends on; add "
            "--gin.train.seed=0."
        )
    require_seed("train.seed", seed)
    return Recipe(
        mixture,
        rows,
        seed=seed,
        layout=layout,
        row_count=row_count,
        passes=passes or 1,
        part_examples=part_examples,
        held_out_rows=held_out_rows,
        gin=resolved.text(
            config.bindings, "Mixture", config.settings, without=_paths(mixture)
        ),
    )


def _paths(mixture: Mixture) -> tuple[str, ...]:
    """Bindings that are paths, of which a recording holds none."""
    of_file = mixture.vocabulary not in vocabulary_names()
    return (*folder_settings(), *(("Mixture.vocabulary",) if of_file else ()))


def _bound(config: Config, name: str) -> Any:
    """The value that is bound to a parameter of `train`; None if none is."""
    bound = config.bindings.bound((), "train")
    return config.bindings.resolve(bound[name].value) if name in bound else None
