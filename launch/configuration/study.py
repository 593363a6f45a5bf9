"""A study from gin files; its mixes are gin files themselves."""

from collections.abc import Sequence

from ...tasks.examples.mixture import Mixture
from ..studies.study import Study
from .config import Config, load
from .mixture import mixture_of


def study_of(config: Config) -> Study:
    """The study that a configuration binds.

    Raises:
      ValueError: it binds none, or a wrong one; or a file of a mix is wrong.
    """
    return Study(**config.arguments("study", read=read_mixture))


def read_study(files: Sequence[str], bindings: Sequence[str]) -> Study:
    """The study of gin files and bindings, as `study_of`; may be pickled."""
    return study_of(load(files, bindings))


def read_mixture(file: str) -> Mixture:
    """The mixture of a gin file."""
    return mixture_of(load([file]))
