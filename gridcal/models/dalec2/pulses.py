"""Leaf-out and leaf fall as pulses that come back every 365.25 days."""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vexp, vlog, vsin

PI = 3.1415927
"""As the original has it."""
EPOCH = 10956.0
"""Days from 1970-01-01 to 1999-12-31: the running day of the pulses is 1 on 1 January 2000."""
TURN = 365.25 / PI
HEIGHT = 2.0 / math.sqrt(PI)
HALF_WIDTH = math.sqrt(2.0) / 2.0
RELEASED = 0.5 * (math.log(1.001) - math.log(0.001))
C6, C5, C4, C3, C2, C1, C0 = (
    2.3599784710e-5, 3.32730053021e-4, 9.01865258885e-4, -5.437736864888e-3, -2.0836027517787e-2, 0.126972018064287,
    -0.188459767342504,
)  # fmt: skip
_X = math.log(1.001 - 1.0)
RELEASE_OFFSET = (((((C6 * _X + C5) * _X + C4) * _X + C3) * _X + C2) * _X + C1) * _X + C0


def dalec2_release(p12, p14):
    """Height, peak and steepness of leaf-out: all but a thousandth of the labile carbon is released in a year."""
    width = p14 * HALF_WIDTH
    on_height = HEIGHT * RELEASED / width
    on_day = p12 - RELEASE_OFFSET * width
    on_steep = TURN / width
    return on_height, on_day, on_steep


def dalec2_fall(p5, p15, p16):
    """Height, peak and steepness of leaf fall: 1 / p5 of the foliage falls in a year."""
    width = p16 * HALF_WIDTH
    rest = vlog(p5 - 1.0)
    off_height = HEIGHT * 0.5 * (vlog(p5) - rest) / width
    x = rest
    offset = (((((C6 * x + C5) * x + C4) * x + C3) * x + C2) * x + C1) * x + C0
    off_day = p15 - offset * width
    off_steep = TURN / width
    return off_height, off_day, off_steep


def dalec2_pulses(day, on_height, on_day, on_steep, off_height, off_day, off_steep):
    """Shares of labile carbon released and of foliage dropped on a day (days since 1970-01-01)."""
    running = day - EPOCH
    on = on_steep * vsin((running - on_day) / TURN)
    off = off_steep * vsin((running - off_day) / TURN)
    PHIon = on_height * vexp(-on * on)
    PHIoff = off_height * vexp(-off * off)
    return PHIon, PHIoff
