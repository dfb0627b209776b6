"""IBIS-DALEC at three deciduous towers, default and calibrated in the paper's two blocks: R, RMSE, AE and DISO, and one plot.

    GRIDCAL_DATA=... python benchmarks/ibis_dalec_towers.py [--output FOLDER] [--lai evi|fapar] [--start fifty|steady]

Daily tower weather with measured shortwave radiation, 2000 to 2012. All runs start from the default parameters' state: 50
years on the weather of 2000 as in the paper, or the exact steady state. 2000 is run and not scored. Block A fits alpha3,
theta3, beta3 and vmax to the tower's GPP, block B p5, p14, p15, p17, p18 and p20 to leaf area made from EVI (or fAPAR): none
was measured in these years. Calibrated on 2001-2009, validated on 2010-2012, 8-day means, MASM with its defaults. July to
December 2009 at US-Ha1 is filler and left out. The plot shows, as the paper's Figure 10, how much of the default's DISO the
calibration removes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import xarray as xr

import gridcal as gc
from gridcal.ingest import forest_tower_cube
from gridcal.models.ibis_dalec import ibis_dalec_model

PERIODS = {"calibration": ("2001-01-01", "2009-12-31"), "validation": ("2010-01-01", "2012-12-31")}
FLUXES = {"gpp": "gpp_obs", "nee": "nee_obs", "reco": "reco_obs"}
SEASONS = ("all", "growing season", "rest of the year")
BLOCK_A = ("alpha3", "theta3", "beta3", "vmax")
BLOCK_B = ("p5", "p14", "p15", "p17", "p18", "p20")


def table(before: xr.Dataset, after: xr.Dataset) -> None:
    """Print both runs' scores."""
    print(f"{'':8s}{'':6s}{'':13s}{'':18s}" + "".join(f"{m:>8s} def  cal " for m in ("R", "RMSE", "AE", "DISO")))
    for site in before["site"].values:
        for variable in before["variable"].values:
            for period in before["period"].values:
                for season in SEASONS:
                    at = {"site": site, "variable": variable, "period": period, "season": season}
                    cells = ""
                    for metric in ("r", "rmse", "me", "diso"):
                        pair = [float(run[metric].sel(at).isel(scale=0)) for run in (before, after)]
                        cells += f"{pair[0]:9.3f} {pair[1]:7.3f}"
                    print(f"{site:8s}{variable:6s}{period:13s}{season:18s}{cells}")


def figure(before: xr.Dataset, after: xr.Dataset, path: Path) -> None:
    """Share of the default's DISO removed, by site, flux, season and period."""
    import matplotlib.pyplot as plt

    gain = ((before["diso"] - after["diso"]) / before["diso"]).isel(scale=0)
    sites = list(gain["site"].values)
    fig, axes = plt.subplots(1, 3, figsize=(11, 4), sharey=True, layout="constrained")
    colours = {"all": "#1b6ca8", "growing season": "#2e8b57", "rest of the year": "#c98f3c"}
    for ax, variable, text in zip(axes, FLUXES, ("GPP", "NEE", "ER"), strict=True):
        for j, season in enumerate(SEASONS):
            for period, alpha, hatch in (("calibration", 0.45, None), ("validation", 1.0, None)):
                shift = (j - 1) * 0.27 + (-0.06 if period == "calibration" else 0.06)
                values = gain.sel(variable=variable, season=season, period=period).values
                label = season if (period == "validation" and ax is axes[0]) else None
                ax.bar(
                    np.arange(len(sites)) + shift, values, 0.12, color=colours[season], alpha=alpha, hatch=hatch, label=label
                )
        ax.axhline(0, color="0.3", lw=0.8)
        ax.set_xticks(np.arange(len(sites)), sites)
        ax.set_title(text)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("(DISO default - DISO calibrated) / DISO default")
    axes[0].legend(frameon=False, title="dark: validation, light: calibration", fontsize=9, title_fontsize=9)
    fig.savefig(path, dpi=120)
    plt.close(fig)


def main() -> None:
    """Run, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default="ibis-dalec-towers")
    parser.add_argument("--lai", choices=("evi", "fapar"), default="evi")
    parser.add_argument("--start", choices=("fifty", "steady"), default="fifty")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    mpl.use("Agg")
    folder = Path(arguments.output)
    folder.mkdir(exist_ok=True, parents=True)
    model = ibis_dalec_model("radiation")
    cube = forest_tower_cube(period=("2000-01-01", "2012-12-31"))
    leaf = "lai_evi_obs" if arguments.lai == "evi" else "lai_obs"
    if arguments.start == "steady":
        state = gc.steady_state(cube, model, forcing_year=2000).compute()
        print("steady state: years", state["spin_up_years"].values, "change", state["cycle_change"].values)
    else:
        state = gc.spin_up(cube, model, years=50, forcing_year=2000, accelerate=False).compute()
    blocks = [
        gc.Block(fit=BLOCK_A, to=gc.Target("gpp", against="gpp_obs")),
        gc.Block(fit=BLOCK_B, to=gc.Target("lai", against=leaf)),
    ]
    began, cpu = time.perf_counter(), time.process_time()
    posterior = gc.calibrate(
        cube, model, blocks, gc.MASM(), seed=arguments.seed, period=PERIODS["calibration"], state=state, chunk=1
    ).compute(scheduler="synchronous")
    print(f"calibration: {time.perf_counter() - began:.0f} s, {time.process_time() - cpu:.0f} s of CPU")
    posterior.drop_encoding().to_netcdf(folder / "posterior.nc")
    for i, site in enumerate(posterior["site"].values):
        runs = posterior["n_runs"].values[i].astype(int)
        meanings = posterior["status"].attrs["flag_meanings"].split()
        codes = list(posterior["status"].attrs["flag_values"])
        status = [meanings[codes.index(s)] for s in posterior["block_status"].values[i]]
        values = ", ".join(
            f"{n} {float(posterior[n][i]):.3g} ({float(posterior[n + '_sd'][i]):.1g})" for n in (*BLOCK_A, *BLOCK_B)
        )
        print(f"{site}: runs {runs}, {status}; {values}")
    names = list(model.parameters.names)
    scores = []
    for theta in (None, posterior[names]):
        run = gc.simulate(cube, model, theta, state=state, outputs=["gpp", "nee", "reco", "lai"])
        pairs = FLUXES | {"lai": leaf}
        scores.append(gc.evaluate(run, cube, variables=pairs, seasons=SEASONS, periods=PERIODS).compute())
    before, after = scores
    table(before, after)
    figure(before, after, folder / "diso.png")


if __name__ == "__main__":
    main()
