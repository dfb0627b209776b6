"""Is a plan right? What ``gridcal plan`` expects of a study file beside what its run takes.

    python benchmarks/plan_accuracy.py STUDY.yml [STUDY.yml ...]      (GRIDCAL_DATA where a study needs it)

Each file is planned, then run from nothing into a temporary folder with the same workers. Printed: expected and taken wall
seconds from the call of the pipeline to the end of its last stage (the report and the start of the workers apart), expected and
largest memory of a worker process, and their ratios. On a machine that does other work both sides vary; the ratio counts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from gridcal.study.cluster import connect
from gridcal.workflow import jobs

os.environ.setdefault("GRIDCAL_PROGRESS", "0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", nargs="+", type=Path)
    parser.add_argument("--stages", action="store_true", help="also stage by stage")
    arguments = parser.parse_args()
    for file in arguments.study:
        start = time.perf_counter()
        _, rows, workers = jobs.plan(file)
        planning = time.perf_counter() - start
        kind, config = jobs.load(file)
        alone = config.compute.cluster == "none"
        with tempfile.TemporaryDirectory() as folder, connect("none" if alone else "local", workers=workers):
            start = time.perf_counter()
            study = kind.run(config, Path(folder) / "run.study")
            taken = time.perf_counter() - start
            held = max(row["peak_bytes"] for row in study.status().values())
            if arguments.stages:
                tiles = {name: row["seconds"] for name, row in study.status().items()}
                print({row.name: round(row.seconds, 1) for row in rows})
                print({name: round(seconds, 1) for name, seconds in tiles.items()})
        expected, memory = sum(row.seconds for row in rows), max(row.peak_bytes for row in rows)
        print(
            f"{file.stem}: time expected {expected:.1f} s, taken {taken:.1f} s, ratio {expected / taken:.2f} | "
            f"memory expected {memory / 1e6:.0f} MB, held {held / 1e6:.0f} MB, ratio {memory / held:.2f} | "
            f"planned in {planning:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
