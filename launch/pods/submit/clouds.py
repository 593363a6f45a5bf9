"""What Google Cloud and GKE call a slice of TPUs, and which machines it has."""

import math
from typing import NamedTuple

from ....objectives.errors import UsageError
from ..plan.generations import Generation
from ..plan.names import Slices, topology


class Names(NamedTuple):
    """What a generation is called.

    Sources: https://cloud.google.com/kubernetes-engine/docs/concepts/plan-tpus and
    https://cloud.google.com/tpu/docs/runtimes.

    Attributes:
      accelerator_type: what comes before the number in `gcloud`.
      gke_accelerator: the node label `cloud.google.com/gke-tpu-accelerator`.
      runtime: image of a TPU VM.
    """

    accelerator_type: str
    gke_accelerator: str
    runtime: str


NAMES = {
    "v4": Names("v4", "tpu-v4-podslice", "tpu-ubuntu2204-base"),
    "v5e": Names("v5litepod", "tpu-v5-lite-podslice", "v2-alpha-tpuv5-lite"),
    "v5p": Names("v5p", "tpu-v5p-slice", "v2-alpha-tpuv5"),
    "v6e": Names("v6e", "tpu-v6e-slice", "v2-alpha-tpuv6e"),
}


class Slice(NamedTuple):
    """Chips that one fast network joins.

    Attributes:
      generation: of its chips.
      bounds: chips along each dimension.
    """

    generation: Generation
    bounds: tuple[int, ...]

    @property
    def names(self) -> Names:
        """Of its generation."""
        return NAMES[self.generation.name]

    @property
    def chips(self) -> int:
        """The number of chips; jax sees each as one device."""
        return math.prod(self.bounds)

    @property
    def chips_per_host(self) -> int:
        """The chips of each of its machines."""
        return min(self.chips, math.prod(self.generation.host))

    @property
    def hosts(self) -> int:
        """The number of machines; 2x4 is two of GKE's machines with four chips."""
        return self.chips // self.chips_per_host

    @property
    def topology(self) -> str:
        """`4x4x8`."""
        return "x".join(map(str, self.bounds))

    @property
    def accelerator_type(self) -> str:
        """`v5p-128`, as Google Cloud counts: cores, of v5e and v6e chips."""
        unit = self.generation.cores if self.generation.counts_cores else 1
        return f"{self.names.accelerator_type}-{self.chips * unit}"

    @property
    def request(self) -> tuple[str, ...]:
        """Options by which `gcloud` is asked for it.

        An accelerator type means the usual shape of its size; others are asked for by
        theirs (https://cloud.google.com/sdk/gcloud/reference/compute/tpus/queued-resources/create).
        """
        name, _, number = self.accelerator_type.rpartition("-")
        usual = topology(f"{self.generation.name}-{number}")
        assert isinstance(usual, Slices)
        if sorted(usual.edges) == sorted(self.bounds):
            return (f"--accelerator-type={self.accelerator_type}",)
        return (f"--type={name}", f"--topology={self.topology}")


def slice_of(name: str) -> Slice:
    """The slice that `--topology` names.

    Raises:
      UsageError: there is no such slice, or it is none of a cloud's TPUs.
    """
    found = topology(name)
    if not isinstance(found, Slices) or found.generation.name not in NAMES:
        raise UsageError(
            f"--topology={name} cannot be asked for in Google Cloud; give a slice of "
            f"{', '.join(NAMES)}, such as v5p-128 or v5e:4x4."
        )
    return Slice(found.generation, found.edges)
