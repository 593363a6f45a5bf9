"""The directory of a run, taken by all of its hosts together."""

from collections.abc import Mapping
from pathlib import Path

from ..hosts import coordination
from ..hosts.preflight import check_equal, check_shared, code_version
from ..runs.directory import prepare_run_dir
from ..runs.lease import Lease, hold


def enter_run_dir(
    run_dir: str, config: str, *, identities: Mapping[str, str]
) -> Lease | None:
    """Checks that all hosts are of one run, and prepares its directory.

    Args:
      run_dir: the directory; process 0 makes it, and all must see it.
      config: the resolved gin config.
      identities: of the vocabulary and each corpus, by name.

    Returns:
      The lease of the directory, in process 0; None in the others.

    Raises:
      UsageError: hosts differ or do not share the directory, or it holds another run.
    """
    check_equal(
        {
            "number of processes": str(coordination.processes()),
            "code": code_version(),
            "config": config,
            "data": "\n".join(f"{name} {value}" for name, value in identities.items()),
        }
    )
    if coordination.process() == 0:
        prepare_run_dir(run_dir, config, identities=identities)
    check_shared(Path(run_dir))
    return hold(Path(run_dir)) if coordination.process() == 0 else None
