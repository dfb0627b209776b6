"""The cube: forcing, observations and features over time and space, opened lazily and checked from metadata."""

from gridcal.cube.dataset import Cube
from gridcal.cube.opening import open_cube
from gridcal.cube.ranges import RangeWarning, check_ranges

__all__ = ["Cube", "RangeWarning", "check_ranges", "open_cube"]
