"""Imports cost nothing that is not used, and arrows run one way."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import biornn as bn

PACKAGE = Path(__file__).parents[1] / "biornn"
BACKENDS = ("keras", "tensorflow", "torch", "jax")

#: Who may import whom; each part also imports itself, and the leaves below.
LEAVES = {
    "_version",
    "activations",
    "atomic",
    "blas",
    "dynamics",
    "errors",
    "gated",
    "output",
    "processes",
    "progress",
    "scalars",
    "schema",
    "stored_networks",
}
ALLOWED = {
    "connectivity": set(),
    "tasks": set(),
    "layers": {"connectivity"},
    "training": {"connectivity", "layers", "tasks", "analysis"},
    "analysis": {"tasks"},
    "store": {"tasks", "analysis"},
    "plots": {"analysis"},
    "report": {"analysis", "plots", "store", "tasks"},
    "experiment": {"connectivity", "tasks", "layers", "training", "store", "analysis"},
    "cli": {"experiment", "report", "store", "analysis"},
}


#: What one process does, one after the other, and what it must not have loaded by then.
LOADS = {
    "import biornn as bn": {"numpy", "xarray", *BACKENDS},
    # Libraries of statistics take as long to load as all that opening a run needs.
    "bn.open_run, bn.validate, bn.analysis.compare": {"scipy.stats", "scipy.optimize", "sklearn", *BACKENDS},
    "bn.tasks.FlipFlop().trials(2, 0); bn.Connectivity(3).recurrent": set(BACKENDS),
    "bn.analysis, bn.plots, bn.schema, bn.store, bn.audit, bn.validate, bn.open_run": set(BACKENDS),
    "import biornn.cli, biornn.report.workers, biornn.report.summary": set(BACKENDS),
}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What each line of `LOADS`, with those before it, loads in a new process."""
    code = "".join(f"{line}\nimport sys; print(*sys.modules)\n" for line in LOADS)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return {line: set(modules.split()) for line, modules in zip(LOADS, printed.splitlines(), strict=True)}


@pytest.mark.parametrize("line", LOADS)
def test_nothing_is_loaded_that_is_not_used(loaded: dict[str, set[str]], line: str) -> None:
    assert "biornn" in loaded[line]
    assert not loaded[line] & LOADS[line]


def test_every_public_name_is_there(loaded: dict[str, set[str]]) -> None:
    *_, before = loaded.values()
    assert "biornn.training" not in before
    assert all(hasattr(bn, name) for name in bn.__all__)


@cache
def import_nodes(path: Path) -> list[ast.AST]:
    """All imports of a file, wherever in it."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]


def imports_of(path: Path) -> set[str]:
    """Parts of biornn that a file imports."""
    found = set()
    for node in import_nodes(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "biornn":
            words = node.module.split(".")
            found |= {words[1]} if len(words) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("biornn.")}
    return found


def test_arrows_run_one_way() -> None:
    for path in PACKAGE.rglob("*.py"):
        part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if part not in ("__init__", *LEAVES):
            assert imports_of(path) <= {part, *LEAVES, *ALLOWED[part]}, path
    for leaf in LEAVES:
        assert imports_of(PACKAGE / f"{leaf}.py") <= LEAVES


def test_no_two_modules_import_one_another() -> None:
    imports = {}
    for path in PACKAGE.rglob("*.py"):
        if path.name != "__init__.py":
            module = ".".join(("biornn", *path.relative_to(PACKAGE).with_suffix("").parts))
            imports[module] = {
                node.module for node in import_nodes(path) if isinstance(node, ast.ImportFrom) and node.module
            }
    assert len(list(TopologicalSorter(imports).static_order())) >= len(imports)  # raises CycleError
