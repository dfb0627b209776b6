"""The six parameters of the soil-moisture bucket (water availability index), daily steps."""

from __future__ import annotations

from gridcal.process.parameters import Parameter, ParameterTable

_SOURCE = "bucket of Bao et al. 2022 and De et al. 2025, hourly rates times 24; theta limited so that supply binds in a day"

BUCKET_PARAMETERS = ParameterTable(
    (
        Parameter("awc", 100.0, 1.0, 1000.0, "mm", "available water capacity", _SOURCE),
        Parameter("theta", 0.05, 1e-3, 1.0, "d-1", "largest share of the store that evaporates in a day", _SOURCE),
        Parameter("alphaPT", 1.2, 0.0, 5.0, "1", "Priestley-Taylor coefficient", _SOURCE),
        Parameter("meltT", 3.0, 0.0, 12.0, "mm degC-1 d-1", "snow melt by temperature", _SOURCE),
        Parameter("meltRn", 0.9, 0.0, 3.0, "mm MJ-1", "snow melt by net radiation", _SOURCE),
        Parameter("sublimation", 0.44, 0.0, 3.0, "1", "sublimation factor", _SOURCE),
    )
)
