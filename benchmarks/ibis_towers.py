"""IBIS with default parameters at three deciduous towers: daily r, RMSE and DISO of GPP, NEE and ER, and one plot each.

    GRIDCAL_DATA=... python benchmarks/ibis_towers.py [--output FOLDER]

Daily tower weather with measured shortwave radiation; 150 years of spin-up on the first complete year with IBIS's own biomass;
then every year of the record with that vegetation kept. Longwave is computed, wind and hours of rain are drawn (seed 0).
July to December 2009 at US-Ha1 is filler and left out. Two sets of defaults: Table 2 as printed (specific leaf area and
leaf turnover of conifers) and IBIS's own for deciduous trees (25 m2 kg-1, 1 year).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

import gridcal as gc
from gridcal.ingest.forest_towers import SOIL, forest_tower_cube
from gridcal.models.ibis import ibis_model

PERIOD = {"US-Ha1": ("1992", "2012"), "US-MMS": ("1999", "2014"), "US-UMB": ("2000", "2014")}
OUTPUTS = ("gpp", "nee", "reco", "et", "lai")


def scores(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Correlation, RMSE and DISO of days with both."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    r = np.corrcoef(x, y)[0, 1]
    rmse = float(np.sqrt(np.mean((x - y) ** 2)))
    ae = float(np.mean(x - y))
    mean = np.mean(y)
    return {
        "n": int(both.sum()),
        "r": r,
        "RMSE": rmse,
        "AE": ae,
        "DISO": float(np.sqrt((r - 1) ** 2 + (ae / mean) ** 2 + (rmse / mean) ** 2)),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default="ibis-towers")
    folder = Path(parser.parse_args().output)
    folder.mkdir(exist_ok=True)
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = []
    for site in SOIL:
        cube = forest_tower_cube(sites=[site], period=PERIOD[site])
        results = {}
        for label, theta in {"Table 2": {}, "deciduous": {"specla": 25.0, "tauleaf": 1.0}}.items():
            state = gc.spin_up(cube, ibis_model("radiation", "dynamic"), theta, years=150).compute()
            run = gc.simulate(cube, ibis_model("radiation"), theta, state=state, outputs=OUTPUTS).isel(site=0).load()
            results[label] = run
            for name in ("gpp", "nee", "reco", "et"):
                seen = cube[f"{name}_obs"].isel(site=0).values
                rows.append({"site": site, "defaults": label, "variable": name, **scores(run[name].values, seen)})
            print(
                site,
                label,
                {n: round(float(run[n].groupby("time.year").sum().mean()), 0) for n in ("gpp", "nee", "reco", "et")},
                "LAI",
                float(run["lai"].max()),
            )
        fig, axes = plt.subplots(3, 1, figsize=(9, 8), sharex=True, layout="constrained")
        for ax, name, text in zip(axes, ("gpp", "nee", "reco"), ("GPP", "NEE", "ER"), strict=True):
            seen = cube[f"{name}_obs"].isel(site=0).groupby("time.dayofyear").mean()
            ax.plot(seen["dayofyear"], seen, color="k", lw=1.2, label="tower")
            for label, colour in (("Table 2", "#d95f02"), ("deciduous", "#1b9e77")):
                mean = results[label][name].groupby("time.dayofyear").mean()
                ax.plot(mean["dayofyear"], mean, color=colour, lw=1.2, label=f"IBIS, {label}")
            ax.set_ylabel(f"{text} (gC m$^{{-2}}$ d$^{{-1}}$)")
            ax.axhline(0, color="0.8", lw=0.6, zorder=0)
        axes[0].legend(frameon=False)
        axes[0].set_title(f"{site}: mean year of {PERIOD[site][0]} to {PERIOD[site][1]}")
        axes[-1].set_xlabel("day of the year")
        fig.savefig(folder / f"{site}.png", dpi=110)
        plt.close(fig)
    table = pd.DataFrame(rows).round(3)
    table.to_csv(folder / "scores.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
