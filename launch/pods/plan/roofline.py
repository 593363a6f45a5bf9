"""The shortest time that a step can take, and what sets it.

Compute, memory, ICI and DCN are taken to run beside each other at their published
peaks: the step takes at least as long as the slowest of the four.
"""

import dataclasses
from collections.abc import Sequence

from .devices import Cluster, Speeds
from .hlo import Collective


@dataclasses.dataclass(frozen=True)
class Roofline:
    """Seconds of a step, at least, for each of what a device does.

    Attributes:
      compute: matrix products at the bf16 peak.
      hbm: reads and writes of its memory.
      ici: collectives over links to neighbours.
      dcn: collectives between slices.
    """

    compute: float
    hbm: float
    ici: float
    dcn: float

    @property
    def seconds(self) -> float:
        """Of a step, at least."""
        return max(dataclasses.astuple(self))

    @property
    def bound(self) -> str:
        """What sets it."""
        parts = dataclasses.asdict(self)
        return max(parts, key=lambda name: parts[name])


def roofline(
    *,
    operations: float,
    traffic: float,
    collectives: Sequence[Collective],
    cluster: Cluster,
    speeds: Speeds,
) -> Roofline:
    """Bounds of a step.

    Args:
      operations: of a device.
      traffic: bytes that a device reads and writes.
      collectives: of the program.
      cluster: their devices, in the order of the mesh.
      speeds: of a device.
    """
    inside = [one for one in collectives if not one.crosses_slices]
    between = [one for one in collectives if one.crosses_slices]
    return Roofline(
        compute=operations / speeds.flops,
        hbm=traffic / speeds.hbm,
        ici=sum(
            (
                one.runs * one.sent / (links(one, cluster) * speeds.link)
                for one in inside
            ),
            0.0,
        ),
        dcn=sum((one.runs * one.sent for one in between), 0.0) / speeds.dcn,
    )


def links(collective: Collective, cluster: Cluster) -> int:
    """Links of a chip over which a collective can send at once.

    Two along each dimension of the torus that its group spans and that closes to a
    ring, one along each that does not; where there is no torus, one.
    """
    if not cluster.wrap:
        return 1
    places = [cluster.devices[member].coords for member in collective.members]
    spanned = [
        number
        for number in range(len(cluster.wrap))
        if len({place[number] for place in places}) > 1
    ]
    return max(1, sum(2 if cluster.wrap[number] else 1 for number in spanned))
