"""Run a model over a cube, from a cold start, a spin-up or a steady state."""

from gridcal.simulation.over_cube import simulate
from gridcal.simulation.spinup import spin_up
from gridcal.simulation.steady import steady_state

__all__ = ["simulate", "spin_up", "steady_state"]
