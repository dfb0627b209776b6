"""The options of MASM as the search uses them."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of :class:`~gridcal.calibration.masm.method.MASM` with every default filled in for d parameters."""

    n_init: int
    q: int
    n_iter: int
    max_runs: int
    emulate: str
    sampler: str
    zoom: bool
    warp: bool
    verify: bool
    n_verify: int
    verify_every: int
    threshold: float
    drift_tolerance: float
    rhat_max: float
    walkers: int
    n_burn: int
    n_keep: int
    short: tuple[int, int, int]
    refit_growth: float
    refit_every: int
    cycles: int
    min_ess: int
    clip: bool
    printed_gr: bool
    quadratic: bool
    shift: bool
