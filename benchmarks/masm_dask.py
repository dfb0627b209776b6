"""Does a calibration of many pixels keep every core busy? A cheap model at the samples of a twin, through Dask.

    python benchmarks/masm_dask.py [--pixels 1000] [--workers 2]

Printed: wall seconds, the workers' processor seconds over workers times wall, and the share of the workers' wall time spent
in tasks. On a machine that does other work the second number tells nothing; the third still does.
"""

from __future__ import annotations

import argparse
import os
import time

import distributed
import numpy as np
import psutil
from distributed.diagnostics.task_stream import TaskStreamPlugin

from gridcal.calibration import MASM, calibrate
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.models.lue import lue
from gridcal.synthetic.region import twin


def processor_seconds(dask_worker: object = None) -> float:
    """Processor seconds of this worker's process so far."""
    del dask_worker
    times = psutil.Process(os.getpid()).cpu_times()
    return times.user + times.system


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--chunk", type=int, default=8)
    args = parser.parse_args()
    side = int(np.ceil(np.sqrt(args.pixels * 1.3)))
    made = twin(side, side, 2, seed=3)
    cube = made.cube.sel(pixel=sample_pixels(made.cube, args.pixels, seed=1))
    cube = Cube.from_dataset(cube.data.compute(), features=cube.feature_names)
    block = Block(("eps_max", "Topt", "kT", "WI"), Target("gpp"))
    with (
        distributed.LocalCluster(n_workers=args.workers, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        few = cube.isel(pixel=slice(0, 2 * args.workers))
        calibrate(few, lue, [block], MASM(), seed=1, chunk=1).compute()  # imports and compiles on every worker
        plugin = TaskStreamPlugin(cluster.scheduler)
        cluster.scheduler.add_plugin(plugin)
        before, begun = sum(client.run(processor_seconds).values()), time.perf_counter()
        out = calibrate(cube, lue, [block], MASM(), seed=1, chunk=args.chunk).compute()
        wall = time.perf_counter() - begun
        used = sum(client.run(processor_seconds).values()) - before
        busy = sum(s["stop"] - s["start"] for t in plugin.buffer for s in t["startstops"] if s["action"] == "compute")
    cores = args.workers * wall
    print(
        f"{out.sizes['pixel']} pixels, {int((out['status'] == 0).sum())} verified, {wall:.1f} s | processor time "
        f"{100 * used / cores:.0f} % of {args.workers} cores | in tasks {100 * busy / cores:.0f} %"
    )


if __name__ == "__main__":
    main()
