"""What is refused before a study trains anything, as it is known before."""

from collections.abc import Iterable
from pathlib import Path

from ...diagnosis.probes.published.published import read_published
from ...diagnosis.results.gates import not_apart
from ...objectives.errors import UsageError
from .arms import Arm
from .facts import Facts
from .other_sizes import other_sizes
from .prepared_probes import named_probes
from .rows_of_arms import RowsOfArms
from .runs import schedule_of
from .study import Study


def require_measurable(study: Study) -> None:
    """Refuses what would fail when everything is trained.

    Raises:
      UsageError: a probe that there is not, a published test that cannot be read, a
        folder of `study.beside` that nothing can be shown of; the message names it.
    """
    named_probes(study)
    other_sizes(study)
    for path in study.published:
        if not Path(path).exists():
            raise UsageError(
                f"study.published has {path!r}, which is not there; give folders, "
                "archives or files of published tests (docs/probes.md lists them)."
            )
        read_published(path, pairs=1, items=1)


def require_apart(data: Facts) -> None:
    """Refuses corpora whose splits share documents, of which no run would count.

    Raises:
      UsageError: the message has the number of documents by corpus.
    """
    shared = not_apart({name: each.shared for name, each in data.corpora.items()})
    if shared:
        raise UsageError(
            f"no run of this study would count: {'; '.join(shared)}. Train and "
            "validation must be apart; build the corpus without duplicates."
        )


def require_recorded(study: Study, arms: Iterable[Arm]) -> None:
    """Refuses recorded rows that are not there, or not of every arm.

    Raises:
      UsageError: as of `RecordedData`.
    """
    if study.data is None:
        return
    rows = RowsOfArms(study)
    for arm in arms:
        rows.recorded(arm.mixture)


def require_schedules(study: Study, arms: Iterable[Arm]) -> None:
    """Refuses learning rates that some run is too short for.

    Raises:
      UsageError: as of `schedule_of`.
    """
    for arm in arms:
        for length in arm.lengths:
            schedule_of(arm, length, batch_tokens=study.batch_tokens)
