"""What each generation of TPU can do, as published.

Sources: Google Cloud's pages "TPU v4", "TPU v5e", "TPU v5p", "TPU v6e" and "TPU7x"
(docs.cloud.google.com/tpu/docs) for HBM, compute and inter-chip bandwidth; its
"data center network bandwidth" divided by chips for DCN; Austin et al. 2025, "How to
scale your model", chapter 2, for v4's links, for DCN of v4 and v5p (2.5e10 bytes/s a
host of four), and for which topologies wrap around. `usable` is what XLA:TPU says that
a program may take, in the message with which it refuses a larger one (libtpu 0.0.41).
"""

import dataclasses

GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Generation:
    """One kind of TPU, a chip at a time.

    Attributes:
      name: "v5p", as in `--topology=v5p-128`.
      compiler_name: what libtpu calls it.
      cores: cores a chip; a name counts cores where `counts_cores`.
      counts_cores: whether the number in a name is of cores, not of chips.
      chip_config: how libtpu joins the cores of a chip; None is its default.
      devices: JAX devices a chip.
      dimensions: of its torus.
      largest: chips along each dimension of the largest slice.
      host: chips along each dimension that one host holds, in slices of several hosts.
      wraps_at: an edge that is a multiple of it wraps around.
      hbm: bytes.
      usable: bytes of a program at most.
      flops: bf16 a second.
      hbm_bandwidth: bytes a second.
      link_bandwidth: bytes a second of one ICI link in one direction.
      dcn_bandwidth: bytes a second out of a chip to other slices.
    """

    name: str
    compiler_name: str
    cores: int
    counts_cores: bool
    chip_config: str | None
    devices: int
    dimensions: int
    largest: tuple[int, ...]
    host: tuple[int, int, int]
    wraps_at: int
    hbm: int
    usable: int
    flops: float
    hbm_bandwidth: float
    link_bandwidth: float
    dcn_bandwidth: float


GENERATIONS = {
    one.name: one
    for one in (
        Generation(
            name="v4",
            compiler_name="v4",
            cores=2,
            counts_cores=True,
            chip_config="megacore",
            devices=1,
            dimensions=3,
            largest=(16, 16, 16),
            host=(2, 2, 1),
            wraps_at=4,
            hbm=32 * GIB,
            usable=int(30.75 * GIB),
            flops=275e12,
            hbm_bandwidth=1200e9,
            link_bandwidth=45e9,
            dcn_bandwidth=6.25e9,
        ),
        Generation(
            name="v5e",
            compiler_name="v5e",
            cores=1,
            counts_cores=False,
            chip_config=None,
            devices=1,
            dimensions=2,
            largest=(16, 16),
            host=(2, 2, 1),
            wraps_at=16,
            hbm=16 * GIB,
            usable=int(15.75 * GIB),
            flops=197e12,
            hbm_bandwidth=819e9,
            link_bandwidth=50e9,
            dcn_bandwidth=3.125e9,
        ),
        Generation(
            name="v5p",
            compiler_name="v5",
            cores=2,
            counts_cores=True,
            chip_config="megacore",
            devices=1,
            dimensions=3,
            largest=(16, 16, 24),
            host=(2, 2, 1),
            wraps_at=4,
            hbm=95 * GIB,
            usable=int(95.74 * GIB),
            flops=459e12,
            hbm_bandwidth=2765e9,
            link_bandwidth=100e9,
            dcn_bandwidth=6.25e9,
        ),
        Generation(
            name="v6e",
            compiler_name="v6e",
            cores=1,
            counts_cores=False,
            chip_config=None,
            devices=1,
            dimensions=2,
            largest=(16, 16),
            host=(2, 2, 1),
            wraps_at=16,
            hbm=32 * GIB,
            usable=int(31.25 * GIB),
            flops=918e12,
            hbm_bandwidth=1638e9,
            link_bandwidth=100e9,
            dcn_bandwidth=12.5e9,
        ),
        Generation(
            name="tpu7x",
            compiler_name="tpu7x",
            cores=2,
            counts_cores=True,
            chip_config=None,
            devices=2,
            dimensions=3,
            largest=(16, 16, 36),
            host=(2, 2, 1),
            wraps_at=4,
            hbm=192 * GIB,
            usable=int(2 * 94.75 * GIB),
            flops=2307e12,
            hbm_bandwidth=7380e9,
            link_bandwidth=100e9,
            dcn_bandwidth=12.5e9,
        ),
    )
}
