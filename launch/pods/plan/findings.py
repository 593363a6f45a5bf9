"""What is wasteful in a plan, and what its figures leave out."""

from .captured import compiler_errors
from .finding import Evidence, Finding, last_names
from .loops import places
from .memory_findings import (
    narrow_heads,
    padded_vocabulary,
    replicated_optimizer,
    replicated_parameters,
    scores_in_memory,
    wide_matmuls,
)
from .operations import silent_kernels
from .traffic_findings import (
    gathers_outside_layers,
    rematerialised,
    resharding_in_layers,
    summed_weights,
)


def findings(evidence: Evidence) -> list[Finding]:
    """All that is wasteful, the gravest kinds first."""
    checks = (
        replicated_parameters,
        replicated_optimizer,
        rematerialised,
        scores_in_memory,
        gathers_outside_layers,
        summed_weights,
        resharding_in_layers,
        narrow_heads,
        padded_vocabulary,
        wide_matmuls,
        uncounted,
        compiler_messages,
    )
    return [one for check in checks for one in check(evidence)]


def uncounted(evidence: Evidence) -> list[Finding]:
    """What the figures leave out, since the program does not show it."""
    rows = []
    kernels = silent_kernels(evidence.module)
    if kernels:
        rows.append(
            Finding(
                "kernels without a cost",
                f"{len(kernels)} kernel(s) do not say what they compute, so operations "
                f"are too low: {', '.join(map(last_names, kernels[:3]))}.",
                "",
            )
        )
    loops = {
        loop.name
        for place in places(evidence.module)
        for loop in place.loops
        if loop.trips is None
    }
    if loops:
        rows.append(
            Finding(
                "loops of unknown length",
                f"{len(loops)} loop(s) do not show how often they run and count once.",
                "",
            )
        )
    return rows


def compiler_messages(evidence: Evidence) -> list[Finding]:
    """Errors that the compiler logs and goes on from."""
    lines = compiler_errors(evidence.log)
    return [Finding("compiler", line[:200], "") for line in lines[:3]]
