"""Communication that a better layout would not need."""

import re
from collections import defaultdict

from .finding import SMALL, Evidence, Finding, last_names, size_text

_REMATERIALISED = re.compile(
    r"Involuntary full rematerialization.*?(?:HLO operation|for):? ?%?"
    r"(?P<op>[\w.\-]+) = (?P<shape>\w+\[[\d,]*\])(?P<rest>[^\n]*)"
)


def rematerialised(evidence: Evidence) -> list[Finding]:
    """Arrays that the partitioner gathers whole, since it knows no other way."""
    count = evidence.log.count("Involuntary full rematerialization")
    if not count:
        return []
    match = _REMATERIALISED.search(evidence.log)
    first = ""
    if match:
        name = re.search(r'op_name="([^"]*)"', match["rest"])
        first = f"; the first is {match['shape']} of {name[1] if name else match['op']}"
    return [
        Finding(
            "involuntary full rematerialization",
            f"the partitioner gathers {count} array(s) whole to lay them out "
            f"anew{first}.",
            "use another mesh: fewer of fsdp, sequence and tensor at once",
        )
    ]


def gathers_outside_layers(evidence: Evidence) -> list[Finding]:
    """Gathers and exchanges that no layer needs."""
    kinds = ("all-gather", "all-to-all")
    rows = [
        one
        for one in evidence.collectives
        if one.kind in kinds and one.role != "layers" and one.bytes > SMALL
    ]
    total = sum(one.total for one in rows)
    every = sum(one.total for one in evidence.collectives)
    if not rows or total < 0.02 * every:
        return []
    largest = max(rows, key=lambda one: one.total)
    return [
        Finding(
            "gathers outside layers",
            f"{size_text(total)} a step, {total / every:.0%} of all collectives, the "
            f"largest {size_text(largest.bytes)} × {largest.runs} in "
            f"{last_names(largest.op_name)} ({largest.role}).",
            "raise ModelConfig.loss_chunk, so that the table is gathered less often"
            if largest.role == "loss chunks"
            else "",
        )
    ]


def summed_weights(evidence: Evidence) -> list[Finding]:
    """Sums over parameter shards in the forward pass, in place of gathered weights."""
    rows = [
        one
        for one in evidence.collectives
        if one.kind == "all-reduce"
        and one.role == "layers"
        and "fsdp" in one.axes
        and one.op_name
        and "transpose(" not in one.op_name
        and one.bytes > SMALL
    ]
    if not rows:
        return []
    total = size_text(sum(one.total for one in rows))
    largest = max(rows, key=lambda one: one.bytes)
    return [
        Finding(
            "all-reduces in the forward pass",
            f"{total} a step are summed over fsdp in the layers' forward pass, where "
            f"weights should be gathered: most in {last_names(largest.op_name)}.",
            "give every device more rows, or fsdp fewer devices",
        )
    ]


def gathers_as_sums(evidence: Evidence) -> list[Finding]:
    """Gathers that the compiler writes as sums of arrays that are zero elsewhere."""
    sums = (one for one in evidence.collectives if one.kind == "all-reduce")
    total = sum(one.placed * one.runs for one in sums)
    if total < SMALL:
        return []
    return [
        Finding(
            "gathers as all-reduces",
            f"{size_text(total)} a step are gathered by adding up arrays that are zero "
            "elsewhere, at twice the bytes of a gather: the compiler's choice for this "
            "topology.",
            "",
        )
    ]


def resharding_in_layers(evidence: Evidence) -> list[Finding]:
    """Arrays that change their layout inside of a layer.

    Not the permutes of a product that gathers its operand piece by piece.
    """
    totals: dict[str, int] = defaultdict(int)
    for one in evidence.collectives:
        if one.op_name.endswith("dot_general"):
            continue
        if one.role == "layers" and one.kind in ("all-to-all", "collective-permute"):
            totals[one.kind] += one.total
    if sum(totals.values()) < SMALL:
        return []
    listed = ", ".join(f"{size_text(size)} of {kind}" for kind, size in totals.items())
    return [
        Finding(
            "resharding inside a layer",
            f"layers exchange {listed} a step to lay activations out anew.",
            "",
        )
    ]
