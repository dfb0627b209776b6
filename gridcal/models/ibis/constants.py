"""Physical and scheme constants of IBIS 2.6 that several processes share (SI units).

The melting point 273.16 K is also the 0 degC of every conversion, but for the rain-or-snow threshold, as in the original.
"""

DT = 3600.0  # s, one step
TMELT = 273.16  # K
SIGMA = 5.67e-8  # W m-2 K-4
KARMAN = 0.4
GRAVITY = 9.80616  # m s-2
HVAP = 2.5104e6  # J kg-1
HFUS = 3.336e5  # J kg-1
HSUB = HVAP + HFUS
CH2O = 4218.0  # J kg-1 K-1
CICE = 2106.0
CAIR = 1004.64
CVAP = 1810.0
RAIR = 287.04  # J kg-1 K-1
RVAP = 461.0
RHOW = 1000.0  # kg m-3
EPSILON = 1.0e-7
PI = 3.1415927
O2 = 0.209  # mol mol-1
EMISSIVITY = 0.95  # of soil and snow

# interception: capacity (kg per m2 of leaf or stem, counted on both sides as used with 2 LAI), e-folding times (s), least store
WLIQ_LEAF = 0.2
WLIQ_STEM = 0.4
WSNO_LEAF = 2.0
WSNO_STEM = 4.0
WLIQ_MIN = 0.0010 * (DT / 3600.0) * (WLIQ_LEAF / 0.2)
WSNO_MIN = 0.0010 * (DT / 3600.0) * (WSNO_LEAF / 2.0)
TAU_DRIP = 7200.0
TAU_BLOW = 43200.0
CH_LEAF = 2.0 * 4218.0  # J K-1 per m2 of two-sided leaf area
CH_STEM = 50.0 * 4218.0

# soil surface and puddle
Z0_SOIL = 0.005  # m
Z0_SNOW = 0.0005
WPUD_MAX = 4.5  # kg m-2
ZWP_MAX = 0.5
BPERM = 0.10  # permeability of the lower boundary
GRAIN = (2650.0 * 0.99 + 1300.0 * 0.01) * (870.0 * 0.99 + 1920.0 * 0.01)  # J m-3 K-1, with 1 % organic matter
HSOI = (0.10, 0.15, 0.25, 0.50, 1.00, 2.00)  # m, thickness of the soil layers
HSOI1 = 0.10

# the lower canopy of a pure tree pixel: leafless, but its air level remains
FL = 0.25
ZTOP_LOWER = 0.25  # m
ZBOT_LOWER = 0.05

# snow
RHO_SNOW = 250.0  # kg m-3
K_SNOW = 0.20  # W m-1 K-1
H_TOP = 0.05  # m, top layer
H_MIN = 0.15  # m, depth while the cover is below 1
H_NUMERIC = 0.01  # m, least thickness in the conduction
FI_MIN = 2.0e-5 * (DT / 1800.0) * (0.15 / H_MIN)
H_RUF = min(0.70, max(H_MIN + 0.05, FL * ZTOP_LOWER))

RUNNING = 0.9958420042280434  # exp(-1/240): weight of the past in ten-day running means of hourly values
