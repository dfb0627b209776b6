# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first parameter map
#
# A light-use-efficiency model gives every deciduous forest the same maximum light-use efficiency, the same optimal
# temperature, the same response to dry soil. Your forest is not the same everywhere. This notebook turns the single values
# into maps:
#
# 1. open a cube of weather, features and observed gross primary production (GPP),
# 2. calibrate the model at some sample pixels,
# 3. learn how its parameters depend on climate, soil and greenness,
# 4. predict them for every pixel, run the model, and see whether it got better.
#
# The region is synthetic: its parameters were *planted* and its observations made by the model itself, with noise. So we
# know the right answer and can check every step. It is also the easy case, since the model is right by construction;
# section 11 says what changes with your own data. About a minute on two cores;
# the very first time also a minute for compiling the kernels, which are then kept.

# %%
# %matplotlib inline
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr

import gridcal as gc

n_lat, n_lon, n_years = 12, 16, 2  # the region: pixels of 0.25 degrees, days of two years
n_samples = 48  # pixels to calibrate; a quarter of the region
fitted = ["eps_max", "Topt", "kT", "WI"]  # parameters to calibrate; the others keep their default

xr.set_options(display_style="text", display_expand_attrs=False)
pd.options.display.float_format = "{:.4g}".format
pd.options.display.max_colwidth = None
plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
blue, orange, grey, green = "#0072b2", "#d55e00", "#8a8a8a", "#1f6b3a"

# %% [markdown]
# ## 1. Open a cube
#
# A cube is an xarray data set whose names and units gridcal has checked. `role` marks the static variables, *features*,
# that the parameters may be learnt from; `storage` says that values are lazy, in chunks.

# %%
twin = gc.synthetic.twin(n_lat, n_lon, n_years)
cube = twin.cube
cube

# %% [markdown]
# Before anything else, look at one pixel: what drives the model, and what was observed. GPP is an 8-day composite, so the
# observations move in steps.

# %%
one = cube.isel(lat=n_lat // 2, lon=n_lon // 2).data.load()
panels = {
    "tas": "air temperature",
    "vpd": "vapour pressure deficit",
    "par": "photosynthetically active radiation",
    "fapar": "share of it that leaves absorb",
    "wai": "water in the root zone, share of capacity",
    "gpp_obs": "observed GPP, 8-day composites",
}
figure, axes = plt.subplots(3, 2, figsize=(9.0, 4.8), sharex=True, layout="constrained", dpi=64)
for axis, (name, title) in zip(axes.T.ravel(), panels.items(), strict=True):
    x = one[name]
    if name == "gpp_obs":
        axis.step(x.time, x, where="post", color=green, linewidth=1.5)
    else:
        around = x.rolling(time=15, center=True, min_periods=1)
        axis.fill_between(x.time, around.min(), around.max(), color=blue, alpha=0.2, linewidth=0)
        axis.plot(x.time, around.mean(), color=blue, linewidth=1.5)
    axis.set_title(title, loc="left", fontweight="bold")
    axis.set_ylabel(name if x.units == "1" else f"{name} ({x.units})")
    axis.set_xticks(pd.date_range("2001-01-01", periods=2 * n_years + 1, freq="6MS"))
figure.suptitle(f"{one.lat:g}° N, {-one.lon:g}° W: mean, and smallest to largest day, of 15 days", x=0.01, ha="left")
plt.show()

# %% [markdown]
# In late summer the root zone dries out, and GPP collapses. How dry it must get for that is what the parameter `WI` says.

# %% [markdown]
# ## 2. The model and its parameters
#
# Thirteen parameters, each with a default and bounds from the literature. The bounds are the prior: within them, before
# seeing data, every value is equally credible. We calibrate four and leave the rest alone; eight-day GPP of two years does
# not carry thirteen.

# %%
model = gc.models.model_named("lue")
print(model.title, "|", model.source)
table = pd.DataFrame(
    [(p.name, p.default, p.lower, p.upper, p.units, p.description, p.name in fitted) for p in model.parameters],
    columns=["parameter", "default", "lower", "upper", "units", "what it is", "fitted"],
).set_index("parameter")
table

# %% [markdown]
# ## 3. Choose sample pixels
#
# Calibration takes some seventy to a hundred model runs a pixel, so only a sample is calibrated. Strata of annual mean
# temperature make sure that the cold ridges and the warm valleys are both in it: what no sample has seen, the learner
# cannot know.

# %%
pixels = gc.sample_pixels(cube, n=n_samples, seed=1, stratify_by="bio1")
samples = cube.sel(pixel=pixels)

figure, axis = plt.subplots(figsize=(6.6, 4.2), layout="constrained", dpi=80)
picture = axis.pcolormesh(cube["lon"], cube["lat"], cube["bio1"], cmap="viridis", shading="nearest")
axis.scatter(pixels.lon, pixels.lat, s=30, facecolor="white", edgecolor="black", linewidth=0.8, label="sample pixel")
figure.colorbar(picture, ax=axis, label="annual mean temperature (degC)")
axis.set(xlabel="longitude (° E)", ylabel="latitude (° N)", aspect=1.25)
axis.locator_params(nbins=5)
axis.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
plt.show()

# %% [markdown]
# ## 4. Calibrate them
#
# MASM trains a cheap stand-in of the model (a *surrogate*) on a few dozen runs, samples the posterior with it, and verifies
# the draws with the real model. `calibrate` returns at once, a plan and no numbers; `study.save` carries it out, tile by
# tile, into a folder. If the machine goes down, run this cell again: finished tiles are kept.

# %%
study = gc.Study("first_map.study")
block = gc.Block(fit=fitted, to=gc.Target("gpp", against="gpp_obs", every="8-day"))
plan = gc.calibrate(samples, model, [block], gc.MASM(), seed=1, chunk=4)

with gc.cluster.connect("local", workers=2):
    post = study.save("posterior", plan, label="calibrating pixels").load()
post[["eps_max", "eps_max_sd", "eps_max_draws", "status", "rhat"]]

# %% [markdown]
# ## 5. Read a posterior
#
# A calibrated pixel has not one value but a distribution of them. Each ridge is one pixel, over the whole range the prior
# allowed: narrow where the observations decide, wide where they do not. The black tick is the posterior mean, the orange
# diamond the planted value.

# %%
bounds = {name: (model.parameters[name].lower, model.parameters[name].upper) for name in fitted}
planted = twin.truth.sel(lat=post.lat, lon=post.lon)
figure = gc.plot.posterior_pixels(post, bounds, planted, fitted, count=10)
figure.set_dpi(75)
figure

# %% [markdown]
# Do these parameters explain the observations? Run the model with a hundred posterior draws at one pixel. The dark band is
# what the parameters leave open (90 %): narrow. It says how well the *mean* is known, and single composites scatter beyond
# it, because they carry noise. The light band adds the residuals' spread, and about nine in ten composites should lie in
# it.

# %%
k = n_samples // 2
draws = {name: xr.DataArray(post[f"{name}_draws"].isel(pixel=k).values.ravel()[::20], dims="pixel") for name in fitted}
runs = gc.simulate(samples.isel(pixel=[k] * draws["eps_max"].size), model, draws)["gpp"].compute()
runs = gc.periods.aggregate(runs, "8-day")
observed = gc.periods.aggregate(samples.isel(pixel=k)["gpp_obs"].compute(), "8-day")
default = gc.periods.aggregate(gc.simulate(samples.isel(pixel=[k]), model)["gpp"].compute(), "8-day").isel(pixel=0)

middle = runs.mean("pixel")
low, high = runs.quantile([0.05, 0.95], "pixel")
spread = 1.645 * np.sqrt(runs.var("pixel") + ((observed - middle) ** 2).mean())
inside = float((abs(observed - middle) <= spread).mean())

figure, axis = plt.subplots(figsize=(9.5, 3.2), layout="constrained", dpi=70)
axis.fill_between(
    runs.time, middle - spread, middle + spread, color=blue, alpha=0.15, linewidth=0, label="90 %, with residuals"
)
axis.fill_between(runs.time, low, high, color=blue, alpha=0.75, linewidth=0, label="90 %, parameters only")
axis.plot(runs.time, default, color=grey, linewidth=1.2, linestyle="--", label="default parameters")
axis.plot(runs.time, observed, "o", color="black", markersize=2.6, label="observed")
axis.set_ylabel("8-day GPP (gC m-2 d-1)")
axis.set_title(f"pixel {int(post.pixel[k])}: {100 * inside:.0f} % of the composites lie in the light band", loc="left")
axis.set_ylim(top=1.35 * float(observed.max()))
axis.legend(ncols=4, loc="upper left")
plt.show()

# %% [markdown]
# ## 6. How far to trust it
#
# Three numbers a pixel, and a verdict. `rhat` compares chains that started apart: 1 means they agree. `ess_ratio` is the
# share of draws that survives the comparison with the real model: 1 would be a perfect surrogate. `surrogate_rmse` is the
# surrogate's error in -2 log likelihood. A pixel that fails its checks is not thrown away, and not hidden: it gets a
# `status`.

# %%
codes, counts = np.unique(post.status, return_counts=True)
print("status:", {gc.Status(code).name: int(count) for code, count in zip(codes, counts, strict=True)})
checks = post[["rhat", "ess_ratio", "surrogate_rmse", "n_runs", "nse"]].squeeze("block", drop=True)
checks.reset_coords(drop=True).to_dataframe().describe().loc[["min", "50%", "max"]]

# %% [markdown]
# A converged chain does not mean that the observations had anything to say. Here they have: near 0 they decide, near 1 only
# the prior speaks. `WI` is the exception at a few pixels: soils that never get dry enough to show it.

# %%
figure = gc.plot.contraction(post, bounds)
figure.set_dpi(85)
figure

# %% [markdown]
# Because the parameters were planted, there is a harder test that real data never allow: posterior mean against truth.

# %%
ok = post.status.values == 0
recovered = {name: float(np.corrcoef(planted[name].values[ok], post[name].values[ok])[0, 1]) for name in fitted}
figure = gc.plot.recovery(planted.isel(pixel=ok), post.isel(pixel=ok), fitted, "posterior mean, 90 % interval")
figure.set_dpi(72)
figure

# %% [markdown]
# ## 7. Screen, then learn
#
# A bad estimate teaches the learner nonsense, so only samples that pass the screen (status, fit, chains, outliers) are
# learnt from. It says how many each rule refused.

# %%
screen = gc.quality_screen(post)
good = screen.values
print({rule: value for rule, value in screen.attrs.items() if rule.startswith(("n_", "refused_"))})

# %% [markdown]
# XGBoost learns each parameter from the features. The skill is cross-validated: every sample is predicted by a learner that
# has not seen it. `rmse` has the parameter's units. Neighbouring pixels resemble each other, so this is the skill of
# filling gaps between samples, not of going to another continent (`Extrapolator(groups=...)` keeps whole regions out).

# %%
learner = gc.Extrapolator("xgboost", seed=1).fit(
    post[list(model.parameters.names)].isel(pixel=good),
    samples.features.isel(pixel=good).compute(),
    model.parameters,
)
print(learner)
learner.skill_.to_dataframe()

# %%
figure = gc.plot.importance(learner.importance_)
figure.set_dpi(85)
figure

# %% [markdown]
# Importance is where a map earns or loses your trust, and it is no proof of a cause. `eps_max` was planted on greenness
# (`ndvi_maximum`) and rain, `Topt` on temperature and elevation, `WI` on rain (`bio12`) and field capacity, and `kT` on
# temperature seasonality (`bio4`) and the climate class. Yet the learner credits field capacity with a good part of `kT`:
# in so small a region it happens to run in parallel with temperature, and with the climate class. Inside the region that
# does no harm. Elsewhere it would.

# %%
climate = cube.features[["bio1", "field_capacity"]].compute()
print(f"correlation of field capacity with temperature: {float(xr.corr(climate['bio1'], climate['field_capacity'])):.2f}")

# %% [markdown]
# ## 8. Predict the map
#
# `predict` is lazy as well: below are the chunks of a map that does not exist yet. On a continent you would start it here,
# and only the chunks at work would be in memory.

# %%
plan = learner.predict(cube.features)
plan["eps_max"]

# %%
theta = study.save("parameters", plan).load()

figure, axes = plt.subplots(2, 4, figsize=(11.5, 6.0), sharex=True, sharey=True, layout="constrained", dpi=66)
mapped = {}
for column, name in zip(axes.T, fitted, strict=True):
    truth = twin.truth[name]
    mapped[name] = float(np.corrcoef(truth.values.ravel(), theta[name].values.ravel())[0, 1])
    limits = {"vmin": float(truth.min()), "vmax": float(truth.max()), "cmap": "viridis", "shading": "nearest"}
    for axis, field in zip(column, (truth, theta[name]), strict=True):
        picture = axis.pcolormesh(cube["lon"], cube["lat"], field, **limits)
        axis.set_aspect(1.25)
    units = "" if truth.units == "1" else f" ({truth.units})"
    figure.colorbar(picture, ax=list(column), orientation="horizontal", label=f"{name}{units}", aspect=30)
    column[0].set_title(f"{name}, planted", loc="left", fontweight="bold")
    column[1].set_title(f"{name}, learnt: r = {mapped[name]:.2f}", loc="left", fontweight="bold")
    column[1].set_xlabel("longitude (° E)")
    column[1].set_xticks([-84.0, -82.0])
for axis in axes[:, 0]:
    axis.set_ylabel("latitude (° N)")
plt.show()

# %% [markdown]
# The learnt maps are flatter than the planted ones, and their patches have straight edges: trees cannot predict beyond the
# samples they saw. `eps_max` fails in the south-western corner, where it is lowest: our strata of temperature put no sample
# there. With real data you could not see that. But the layer `dissimilarity`, which knows the features only, says where a
# pixel's environment lies far from any sample's. Above its `threshold`, do not believe the map; calibrate a few pixels
# there.

# %%
far = theta["dissimilarity"]
threshold = far.attrs["threshold"]
error = abs(theta["eps_max"] - twin.truth["eps_max"])
print(f"{100 * float((far > threshold).mean()):.0f} % of the pixels lie above the threshold of {threshold:.2f}")
print(f"mean error of eps_max: {float(error.where(far > threshold).mean()):.2f} gC MJ-1 there, ", end="")
print(f"{float(error.where(far <= threshold).mean()):.2f} gC MJ-1 elsewhere")

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.5), sharex=True, sharey=True, layout="constrained", dpi=70)
labels = ["dissimilarity (dimensionless)", "error of eps_max (gC MJ-1)"]
for axis, field, label, colours in zip(axes, (far, error), labels, ("cividis", "magma_r"), strict=True):
    picture = axis.pcolormesh(cube["lon"], cube["lat"], field, cmap=colours, shading="nearest")
    figure.colorbar(picture, ax=axis, label=label)
    axis.scatter(pixels.lon, pixels.lat, s=9, facecolor="white", edgecolor="black", linewidth=0.6)
    axis.set(xlabel="longitude (° E)", ylabel="latitude (° N)", aspect=1.25)
    axis.locator_params(nbins=5)
beyond = far.where(far > threshold).stack(cell=["lat", "lon"]).dropna("cell")
axes[0].scatter(beyond.lon, beyond.lat, marker="s", s=105, facecolor="none", edgecolor=orange, linewidth=1.3)
axes[0].set_title("what the features tell (orange: too far)", loc="left", fontweight="bold")
axes[1].set_title("what only the planted truth tells", loc="left", fontweight="bold")
plt.show()

# %% [markdown]
# ## 9. Run the region
#
# The same model, once with its default parameters and once with the maps. `fingerprint` tells the study what the fluxes
# were made from, so that it refuses to hand out old ones when the parameters have changed.

# %%
fluxes = study.save("fluxes", gc.simulate(cube, model, theta), fingerprint={"parameters": theta.attrs["fingerprint"]})
default = gc.simulate(cube, model)

figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.3), sharey=True, layout="constrained", dpi=72)
annual = {
    "observed": cube["gpp_obs"].mean("time") * 365.25,
    "default parameters": default["gpp"].mean("time") * 365.25,
    "mapped parameters": fluxes["gpp"].mean("time") * 365.25,
}
largest = max(float(x.max()) for x in annual.values())
smallest = min(float(x.min()) for x in annual.values())
for axis, (title, field) in zip(axes, annual.items(), strict=True):
    picture = axis.pcolormesh(cube["lon"], cube["lat"], field, cmap="YlGn", vmin=smallest, vmax=largest, shading="nearest")
    axis.set_title(title, loc="left", fontweight="bold")
    axis.set(aspect=1.25, xlabel="longitude (° E)")
    axis.locator_params(nbins=5)
axes[0].set_ylabel("latitude (° N)")
figure.colorbar(picture, ax=list(axes), label="annual GPP (gC m-2 yr-1)")
plt.show()

# %%
figure = gc.plot.flux_maps(xr.Dataset({"gpp": gc.periods.aggregate(fluxes["gpp"], "8-day")}))
figure.set_dpi(64)
figure

# %% [markdown]
# ## 10. Score
#
# Median over the pixels, 8-day GPP. The row that counts is *other pixels*: nothing was calibrated there. `r` and `nse` are
# best at 1, `rmse` (gC m-2 d-1) and `diso` (a distance that combines correlation, bias and error) at 0. Growing season is
# May to September; the rest of the year has little GPP, and little to lose.

# %%
skill = xr.concat(
    [gc.evaluate(x, cube, variables={"gpp": "gpp_obs"}) for x in (default, fluxes)],
    dim=pd.Index(["default", "mapped"], name="run"),
)
skill = skill[["r", "rmse", "nse", "diso"]].squeeze(["variable", "scale", "period"], drop=True).compute()
sampled = xr.zeros_like(cube["bio1"], dtype=bool).compute()
sampled.values.ravel()[pixels.values] = True
places = {"sample pixels": skill.where(sampled), "other pixels": skill.where(~sampled)}
scores = xr.concat([x.median(["lat", "lon"]) for x in places.values()], dim=pd.Index(list(places), name="where"))
scores.to_dataframe().reorder_levels(["season", "where", "run"]).sort_index()

# %% [markdown]
# Everything is in the folder: plain Zarr, which any xarray opens, with a ledger of checksums. A new session, or a
# colleague, starts from it. A saved stage is not computed again: run this notebook twice, and the calibration takes no
# time. If you change the samples or the bounds, the study refuses to mix old and new; `gc.Study(..., fresh=True)` starts
# over.

# %%
again = gc.Study("first_map.study")
print(again)
print("damaged tiles:", again.verify())
progress = pd.DataFrame(again.status()).T[["done", "total", "complete"]]
progress

# %% [markdown]
# ## 11. Your own data
#
# `gc.open_cube` takes a Zarr store or a NetCDF file whose variables already have gridcal's names (those of section 1), or a
# *catalog entry*: a small file that says what your variables are called and which units they are in. Here is a file as it
# might come from a colleague: temperature in kelvin, GPP in µmol CO2, other names.

# %%
colleague = cube.data[["tas", "gpp_obs", "bio1"]].compute().rename(tas="Tair", gpp_obs="GPP")
colleague["Tair"] = (colleague["Tair"] + 273.15).assign_attrs(units="K")
colleague["GPP"] = (colleague["GPP"] / (12.011e-6 * 86400)).assign_attrs(units="umolCO2 m-2 s-1")
colleague.to_netcdf("my-forest.nc")

entry = """
id: my-forest
title: My forest
kind: grid
format: netcdf
location: ./my-forest.nc
variables:
  tas: {native: Tair}
  gpp_obs: {native: GPP}
  bio1: {}
features: [bio1]
licence: CC-BY-4.0
citation: you and your colleague
"""
Path("my-forest.yml").write_text(entry)
mine = gc.open_cube("my-forest.yml")
mine

# %% [markdown]
# Units were converted on opening, and nothing was computed. Now the mistake that costs a week when nobody notices it: the
# file says `gC m-2`, a sum over some period, where GPP must be a rate. gridcal does not guess. It stops before any task
# runs, names the variable, and says what to do.

# %%
wrong = entry.replace("gpp_obs: {native: GPP}", "gpp_obs: {native: GPP, units: gC m-2}")
Path("my-forest-wrong.yml").write_text(wrong.replace("id: my-forest", "id: my-forest-wrong"))
try:
    gc.open_cube("my-forest-wrong.yml")
except gc.GridcalError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# So does the model when it lacks something: this cube has no radiation yet.

# %%
try:
    gc.simulate(mine, model)
except gc.GridcalError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# With real observations expect less than above. The model is wrong in places, towers have gaps, parameters trade off
# against each other; fewer pixels pass the screen, cross-validated skill is lower, and intervals are too narrow where the
# model's own error is not noise. Keep years out of the calibration (`calibrate(..., period=("2001", "2008"))`) and score on
# them (`evaluate(..., periods={"validation": ("2009", "2012")})`).
#
# **On a cluster** the same lines run inside `with gc.cluster.connect("slurm", workers=20, queue="...",
# walltime="04:00:00"):`, or you write a study file and leave:
#
# ```yaml
# title: My forest
# data: {kind: cube, source: my-forest.yml, samples: 400, stratify_by: bio1}
# calibration:
#   blocks:
#     - fit: [eps_max, Topt, kT, WI]
#       to: {variable: gpp, against: gpp_obs, every: 8-day}
# compute:
#   cluster: slurm                  # none, local, slurm or gateway; a running one: gridcal run ... --scheduler ADDRESS
#   workers: 20
#   options: {queue: normal, memory: 4GiB, walltime: "04:00:00"}
# ```
#
# `gridcal run my-forest-study.yml` calibrates, learns, predicts, runs and scores into `my-forest-study.study`; `gridcal
# status FOLDER` shows how far it is, `gridcal resume FOLDER` goes on after a wall time or a power cut, and `gridcal report
# FOLDER` writes one page to send to your co-authors. Where it runs is not part of the results: the numbers are the same on
# your laptop.
