"""Longwave exchange of leaves, stems, soil and snow as grey planes (Thompson and Pollard 1995)."""

from __future__ import annotations

from gridcal.models.ibis.constants import EMISSIVITY, SIGMA


def longwave(fira, tu, ts, tg, ti, fi, fu, emu, ems):
    """Net longwave radiation absorbed (W m-2) by leaves and stems (per area under trees), soil and snow; upward at the top.

    `emu` and `ems` are the emissivities of the leaf and stem planes.
    """
    ground = 1.0 - EMISSIVITY
    leaf = SIGMA * tu * tu * tu * tu
    stem = SIGMA * ts * ts * ts * ts
    soil = EMISSIVITY * SIGMA * tg * tg * tg * tg
    snow = EMISSIVITY * SIGMA * ti * ti * ti * ti
    down = (1.0 - fu) * fira + fu * ((1.0 - emu) * (1.0 - ems) * fira + emu * (1.0 - ems) * leaf + ems * stem)
    up_soil = ground * down + soil
    up_snow = ground * down + snow
    up = (1.0 - fi) * up_soil + fi * up_snow
    firb = (1.0 - fu) * up + fu * ((1.0 - emu) * (1.0 - ems) * up + emu * leaf + ems * (1.0 - emu) * stem)
    firu = emu * ems * stem + emu * (1.0 - ems) * up + emu * fira - 2.0 * emu * leaf
    firs = ems * emu * leaf + ems * up + ems * (1.0 - emu) * fira - 2.0 * ems * stem
    firg = down - up_soil
    firi = down - up_snow
    return firu, firs, firg, firi, firb
