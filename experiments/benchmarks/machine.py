"""The machine that a benchmark ran on, and the surroundings of the processes that it times."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

#: A processor named by hand makes numpy's BLAS use another one's kernels, which may be half as fast as its own; the
#: frameworks' libraries look for themselves and are not affected, so a comparison would not be fair.
_NAMED_BY_HAND = "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"
_ASK_FOR_KERNELS = """
import numpy, threadpoolctl
for pool in threadpoolctl.threadpool_info():
    if pool["user_api"] == "blas":
        print(pool["internal_api"], pool["version"], "with", pool.get("architecture"), "kernels")
"""


def child_environment(threads: int | None, backend: str = "tensorflow") -> dict[str, str]:
    """Return the environment of a process to be timed.

    Parameters
    ----------
    threads
        Of BLAS and of the framework; they take theirs when they are loaded, so the environment must say it. With a
        number of threads a process sees no GPU; None leaves it the GPU, of which JAX takes only what it needs.
    backend
        Of Keras.

    Returns
    -------
    dict
        This process's environment with threads or GPU, and backend, and without a processor named by hand.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _NAMED_BY_HAND}
    if threads is None:
        return {**kept, "KERAS_BACKEND": backend, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    count = str(threads)
    names = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"
    return {**kept, **dict.fromkeys(names, count), "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": ""}


def describe(*packages: str) -> str:
    """Describe processor, Python, packages and the kernels of numpy's BLAS in a child, in one line.

    Parameters
    ----------
    *packages
        Names of distributions beside numpy; one that is not installed is told as such.
    """
    versions = ", ".join(f"{name} {version_of(name) or '(not installed)'}" for name in (*packages, "numpy"))
    return f"{os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}, {versions} ({_kernels()})"


def version_of(package: str) -> str | None:
    """Return the version of a distribution, None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _kernels() -> str:
    """Ask a process such as those that are timed which kernels its BLAS chose."""
    command = [sys.executable, "-c", _ASK_FOR_KERNELS]
    done = subprocess.run(command, env=child_environment(1), check=True, stdout=subprocess.PIPE, text=True)
    return ", ".join(done.stdout.splitlines())
