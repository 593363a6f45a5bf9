"""Which source a run reads: recorded rows, or its corpora."""

from collections.abc import Mapping
from pathlib import Path

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_examples
from ...tasks.examples.window_check import check_windows, remarks
from ..terminal.log import RunLog
from . import report
from .data import Source, Streaming
from .recorded import RecordedData


def open_source(
    data: str | None,
    mixture: Mixture,
    rows: RowShape,
    *,
    batch_rows: int,
    rows_here: tuple[int, int],
    workers: int,
    log: RunLog,
) -> tuple[Source, Mapping[str, str]]:
    """The source of a run, checked, and the identities of what it reads, by content.

    Args:
      data: folder of recorded rows; None reads the mixture's corpora.
      mixture: what is trained on.
      rows: capacities of a row.
      batch_rows: B.
      rows_here: the rows [start, stop) of a batch that this process loads.
      workers: processes that make data from the corpora.
      log: says what the corpora lack.

    Raises:
      UsageError: the recording is of another mixture or damaged; or the corpora give
        no Examples for these rows.
    """
    if data is not None:
        if "://" in data:
            raise UsageError(
                f"train.data is {data!r}: recorded rows are read from a folder, and "
                "ArrayRecord reads no address; copy them to a disk of each host or a "
                "shared one, or mount the bucket, and give that path."
            )
        recorded = RecordedData(
            Path(data), mixture.phases(), rows, batch_rows, rows_here
        )
        return recorded, recorded.identities()
    check_examples(mixture, rows)
    with log.phase("Reading text"):
        report.show_lines(remarks(*check_windows(mixture, rows)))
    streaming = Streaming(mixture, rows, batch_rows, rows_here, workers)
    return streaming, streaming.identities()
