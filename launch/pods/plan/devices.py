"""The devices of a topology, and what each of them can do."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax

from .generations import GENERATIONS, Generation
from .names import Emulated, Here, Slices

GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Speeds:
    """Peak speeds of a device, as published; bytes and operations a second.

    Attributes:
      flops: bf16 operations.
      hbm: bytes of its memory.
      link: of one link to a neighbour in one direction.
      dcn: to devices that only the data-centre network joins.
    """

    flops: float
    hbm: float
    link: float
    dcn: float


GPUS = {
    # NVIDIA's data sheets, SXM modules, dense bf16; NVLink in one direction; a 400 Gb/s
    # network card for each GPU.
    "H100": Speeds(flops=989e12, hbm=3.35e12, link=450e9, dcn=50e9),
    "H200": Speeds(flops=989e12, hbm=4.8e12, link=450e9, dcn=50e9),
    "A100": Speeds(flops=312e12, hbm=2.039e12, link=300e9, dcn=25e9),
}


TPUS = {
    "TPU v4": "v4",
    "TPU v5 lite": "v5e",
    "TPU v5": "v5p",
    "TPU v5p": "v5p",
    "TPU v6 lite": "v6e",
    "TPU7x": "tpu7x",
}
"""Generations by what JAX calls their devices."""


def speeds_of(kind: str) -> Speeds | None:
    """Peak speeds of a kind of device, by JAX's name of it; None if not known."""
    if kind in TPUS:
        return _speeds(GENERATIONS[TPUS[kind]])
    return next((speeds for name, speeds in GPUS.items() if name in kind), None)


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The devices of a topology.

    Attributes:
      name: for people.
      devices: `jax.Device`s; those of a TPU have `coords`.
      chips: what is paid for.
      capacity: bytes that a program may take on a device; None if not known.
      speeds: of a device; None if none are published.
      wrap: whether each dimension of the torus closes to a ring; empty without one.
    """

    name: str
    devices: Sequence[Any]
    chips: int
    capacity: int | None
    speeds: Speeds | None
    wrap: tuple[bool, ...] = ()


def cluster(topology: Slices | Emulated | Here) -> Cluster:
    """The devices of a topology; the environment must be prepared (`environment`)."""
    if isinstance(topology, Slices):
        return _tpus(topology)
    devices = jax.devices()
    if isinstance(topology, Emulated):
        devices = devices[: topology.devices]
    kind = devices[0].device_kind
    platform = devices[0].platform
    statistics = devices[0].memory_stats() or {}
    return Cluster(
        name=f"{len(devices)} × {kind}" + (" (emulated)" if platform == "cpu" else ""),
        devices=devices,
        chips=len(devices),
        capacity=statistics.get("bytes_limit"),
        speeds=speeds_of(kind),
    )


def _tpus(topology: Slices) -> Cluster:
    from jax.experimental import topologies

    generation = topology.generation
    edges = "x".join(map(str, topology.edges))
    options = {
        "chips_per_host_bounds": _host(topology),
        "wrap": (*topology.wrap, False)[:3],
        "num_slices": topology.slices,
    }
    if generation.chip_config is not None:
        options["chip_config_name"] = generation.chip_config
    devices = topologies.get_topology_desc(
        platform="tpu",
        topology_name=f"{generation.compiler_name}:{edges}",
        **options,
    ).devices
    return Cluster(
        name=topology.name,
        devices=devices,
        chips=topology.chips,
        capacity=generation.usable // generation.devices,
        speeds=_speeds(generation),
        wrap=topology.wrap,
    )


def _host(topology: Slices) -> tuple[int, int, int]:
    """Chips of one host along each dimension: a small slice has one host."""
    if topology.edges == (1, 1):
        return (1, 1, 1)
    if topology.edges == (2, 4):
        return (2, 4, 1)
    return topology.generation.host


def _speeds(generation: Generation) -> Speeds:
    """Of a device: two that are one chip share what it has."""
    share = 1 / generation.devices
    return Speeds(
        flops=share * generation.flops,
        hbm=share * generation.hbm_bandwidth,
        link=share * generation.link_bandwidth,
        dcn=share * generation.dcn_bandwidth,
    )
