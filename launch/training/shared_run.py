"""What the hosts of a run must have in common."""

from ..hosts import coordination
from ..hosts.preflight import check_equal, code_version
from ..runs.run_identity import RunIdentity


def check_one_run(run: RunIdentity) -> None:
    """Checks that all hosts are of one run, before anything is made or compiled.

    Args:
      run: that this host was started with.

    Raises:
      UsageError: hosts differ; says which, and in what.
    """
    identities = "\n".join(f"{name} {value}" for name, value in run.identities.items())
    check_equal(
        {
            "number of processes": str(coordination.processes()),
            "code": code_version(),
            "config": run.config,
            "data": identities,
        }
    )
