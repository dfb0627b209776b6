"""Dates of the real calendar, or an error that says which calendar it is and how to leave it."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from gridcal.errors import InputError

REAL_CALENDARS = ("standard", "gregorian", "proleptic_gregorian")
_LOST = {
    "360_day": "30-day months are not real days",
    "noleap": "it has no 29 February",
    "365_day": "it has no 29 February",
    "all_leap": "it has a 29 February every year",
    "366_day": "it has a 29 February every year",
}


def check_calendar(calendar: str) -> None:
    """Raise :class:`InputError` for a calendar whose days are not real ones."""
    if calendar in REAL_CALENDARS:
        return
    how = ", align_on='year'" if calendar == "360_day" else ""
    raise InputError(
        f"coordinate 'time' has the calendar {calendar!r}; gridcal works on real days"
        + (f" ({_LOST[calendar]})" if calendar in _LOST else ""),
        f"Convert it: ds.convert_calendar('standard', use_cftime=False{how}), and decide what the days hold that it lacks: "
        "ds.reindex(time=pd.date_range(ds.time.values[0], ds.time.values[-1])).interpolate_na('time')",
    )


def dates_of(index: pd.Index | None) -> pd.DatetimeIndex:
    """The index itself where it holds dates.

    Raises
    ------
    InputError
        If it holds dates of another calendar, cftime's own type, or no dates; the message gives the repair.
    """
    if isinstance(index, xr.CFTimeIndex):
        check_calendar(str(index.calendar))
        raise InputError(
            "coordinate 'time' holds cftime dates", "Convert it: ds.convert_calendar('standard', use_cftime=False)"
        )
    if not isinstance(index, pd.DatetimeIndex):
        kind = "nothing" if index is None else str(index.dtype)
        raise InputError(f"coordinate 'time' holds {kind}, not dates", "Decode it with xarray.decode_cf(ds)")
    return index
