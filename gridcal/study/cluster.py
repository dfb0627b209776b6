"""Where the work runs: this machine, a SLURM cluster, a Dask gateway, or a scheduler that is already there."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Any

from gridcal.errors import ConfigError, MissingExtraError
from gridcal.study.safety.patience import LOCAL
from gridcal.version import __version__

MOST = 16
"""Worker processes that any machine may be asked for; one of more cores four a core."""
_WALLTIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def connect(kind: str | None = "local", *, workers: int | None = None, **options: Any) -> Any:
    """Connect to a cluster.

    Parameters
    ----------
    kind : str or None
        ``"local"`` (worker processes on this machine), ``"slurm"``, ``"gateway"``, or the address of a running scheduler;
        None computes in this process.
    workers : int, optional
        How many; the machine's cores, or 2 on clusters.
    **options
        Passed on to LocalCluster, SLURMCluster (queue, account, cores, memory, walltime, ...) or Gateway.new_cluster. A study
        file may give fewer: see :mod:`gridcal.study.safety.cluster_options`.

    Returns
    -------
    distributed.Client
        A context manager; its repr shows the dashboard's address. Leaving it closes what was started.

    Raises
    ------
    ConfigError
        If `kind` is unknown, an option impossible, or no scheduler answers at the address.
    MissingExtraError
        If a library is missing.
    """
    if kind is None or kind == "none":
        return InProcess()
    if kind == "local":
        return _local(workers or os.cpu_count() or 1, options)
    if kind == "slurm":
        return _slurm(workers or 2, options)
    if kind == "gateway":
        return _gateway(workers or 2, options)
    if "://" in kind:
        return _running_scheduler(kind, options)
    raise ConfigError(f"unknown cluster {kind!r}", "Use 'local', 'slurm', 'gateway' or a scheduler's address (tcp://...)")


class InProcess:
    """No cluster: tiles are computed one by one in this process."""

    dashboard_link = ""

    def __enter__(self) -> InProcess:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing was started, so nothing is closed."""


def _configure(lost: str) -> None:
    """Settings for a cluster: `lost` is how long a worker may take to come back before it is given up."""
    import dask

    environment = dict.fromkeys(_ONE_THREAD, "1")
    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 10,
            "distributed.deploy.lost-worker-timeout": lost,
            "distributed.comm.timeouts.connect": "60s",
            "distributed.nanny.pre-spawn-environ": dask.config.get("distributed.nanny.pre-spawn-environ", {}) | environment,
        }
    )


def _closing(client: Any, cluster: Any) -> Any:
    """A client that also closes the cluster it was made for."""
    close = client.close

    def close_both(*args: Any, **kwargs: Any) -> None:
        close(*args, **kwargs)
        cluster.close()

    client.close = close_both
    return client


def _local(workers: int, options: dict[str, Any]) -> Any:
    import distributed  # registers its configuration defaults

    most = max(MOST, 4 * (os.cpu_count() or 1))
    if workers > most:
        raise ConfigError(
            f"{workers} worker processes are asked for on a machine of {os.cpu_count()} cores",
            f"Ask for {most} at the most (compute.workers, or --workers on the command line)",
        )

    _configure(f"{LOCAL:.0f}s")  # started again by its nanny, which takes 11 to 17 s on a busy machine
    settings: dict[str, Any] = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "local_directory": tempfile.gettempdir(),
        "silence_logs": 40,
    }
    cluster = distributed.LocalCluster(**(settings | options))
    return _closing(distributed.Client(cluster), cluster)


def _running_scheduler(address: str, options: dict[str, Any]) -> Any:
    from distributed import Client

    try:
        client = Client(address, **({"timeout": "30s"} | options))
    except (OSError, ValueError) as error:
        raise ConfigError(f"no scheduler answers at {address!r} ({error})", "Check the address, and that it runs") from error
    try:
        found = set(client.run(worker_version).values())
    except Exception as error:
        client.close()
        raise ConfigError(f"the workers at {address!r} cannot import gridcal ({error})", "Install it there") from error
    if found - {__version__}:
        client.close()
        raise ConfigError(
            f"the workers at {address!r} run gridcal {', '.join(sorted(found))}, this process {__version__}",
            "Install one version everywhere",
        )
    return client


def worker_version() -> str:
    """The version of gridcal where the function runs."""
    return __version__


def slurm_cluster(**options: Any) -> Any:
    """A SLURMCluster whose workers leave before their wall time and use one thread each.

    Parameters
    ----------
    **options
        Of dask_jobqueue.SLURMCluster. ``walltime`` (default 2 hours) also sets the workers' lifetime.
    """
    from dask_jobqueue import SLURMCluster

    settings: dict[str, Any] = {"cores": 1, "memory": "4GiB", "walltime": "02:00:00", "death_timeout": 60} | options
    settings.setdefault("processes", settings["cores"])
    settings.setdefault("local_directory", "$TMPDIR")
    seconds = _seconds(str(settings["walltime"]))
    margin = min(300, max(seconds // 5, 10))
    settings.setdefault(
        "worker_extra_args", ["--lifetime", f"{max(seconds - margin, 15)}s", "--lifetime-stagger", f"{margin // 2}s"]
    )
    exports = [f"export {name}=1" for name in _ONE_THREAD]
    exports.append("export TMPDIR=${TMPDIR:-/tmp}")
    exports.append("export NUMBA_CACHE_DIR=$TMPDIR/gridcal-numba-$SLURM_JOB_ID")
    settings["job_script_prologue"] = [*exports, *settings.get("job_script_prologue", [])]
    return SLURMCluster(**settings)


def _slurm(workers: int, options: dict[str, Any]) -> Any:
    from distributed import Client

    _configure("5s")  # another job is queued in its place
    cluster = slurm_cluster(**options)
    cluster.adapt(minimum_jobs=workers, maximum_jobs=workers, interval="10s", wait_count=20)
    return _closing(Client(cluster), cluster)


def _gateway(workers: int, options: dict[str, Any]) -> Any:
    try:
        from dask_gateway import Gateway
    except ImportError as error:
        raise MissingExtraError("dask-gateway is not installed", "pip install dask-gateway") from error
    cluster = Gateway().new_cluster(**options)
    cluster.adapt(minimum=workers, maximum=workers)
    return _closing(cluster.get_client(), cluster)


def _seconds(walltime: str) -> int:
    """Seconds of a wall time in one of SLURM's six forms."""
    found = _WALLTIME.fullmatch(walltime.strip())
    if found is None:
        raise ConfigError(f"walltime {walltime!r} is not HH:MM:SS", "Write e.g. '02:00:00' or '1-12:00:00'")
    days, *parts = (int(part or 0) for part in found.groups())
    if found[1] is not None or found[4] is not None:  # D-HH, D-HH:MM, D-HH:MM:SS, HH:MM:SS
        hours, minutes, seconds = parts
    else:  # MM, MM:SS
        hours, (minutes, seconds) = 0, parts[:2]
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
