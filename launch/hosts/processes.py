"""Starts the processes of a run together, and ends them together."""

import contextlib
import logging
import math
import sys
import time
import traceback
from collections.abc import Iterator

import jax

from ...objectives.errors import UsageError
from . import coordination, progress
from .job import Job
from .leaving import STALLED
from .roll_call import roll_call
from .watch import Watch, fail, fail_with_collective

_HEARTBEAT_SECONDS = 45
"""jax's own limit for a silent process; ours (`watch`) is shorter, and names it. It
serves where process 0 itself is stopped."""

_SHUTDOWN_SECONDS = 15


@contextlib.contextmanager
def joined(job: Job | None, *, seconds: float) -> Iterator[None]:
    """A context in which this process trains with those of its job, or alone.

    An error inside ends all processes at once: the others hear its text, and nobody
    waits in a collective for who has left. To leave without an error is to wait until
    all others do.

    Args:
      job: of this process; None if it trains alone.
      seconds: how long to wait for the others at the start.

    Raises:
      UsageError: the processes do not come together.
    """
    if job is None:
        yield
        return
    began = time.monotonic()
    roll_call(job, seconds=seconds)
    _initialise(job, seconds=max(10, seconds - (time.monotonic() - began)))
    coordination.introduce()
    coordination.meet("start")
    name = coordination.name_of(job.process)
    logging.basicConfig(format=f"{name}: %(levelname)s: %(message)s")
    watch = Watch()
    watch.start()
    try:
        yield
        # One may upload for long what the others have no part in.
        progress.did("done", times=math.inf)
        coordination.meet("end")
    except coordination.MissingProcess as error:
        fail(str(error), status=STALLED)
    except UsageError as error:
        fail(str(error), status=2)
    except SystemExit as error:
        fail(f"exit with status {error.code}", status=1)
    except KeyboardInterrupt:
        fail("interrupted", status=130)
    except jax.errors.JaxRuntimeError:
        fail_with_collective(traceback.format_exc())
    except BaseException:
        fail(traceback.format_exc(), status=1)
    watch.stop()
    jax.distributed.shutdown()
    sys.stdout.flush()


def _initialise(job: Job, *, seconds: float) -> None:
    # Its handler would swallow SIGTERM; `stopping` agrees on a step instead.
    jax.config.update("jax_enable_preemption_service", False)
    jax.distributed.initialize(
        job.coordinator,
        job.processes,
        job.process,
        cluster_detection_method=job.cluster or "deactivate",
        initialization_timeout=int(seconds),
        heartbeat_timeout_seconds=_HEARTBEAT_SECONDS,
        shutdown_timeout_seconds=_SHUTDOWN_SECONDS,
        coordinator_bind_address=job.coordinator,
    )
