"""Imports cost nothing that is not used, and arrows run one way."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "biornn"
BACKENDS = ("keras", "tensorflow", "torch", "jax")

#: Who may import whom; each part also imports itself, and the leaves below.
LEAVES = {"_version", "activations", "atomic", "errors", "output", "progress", "scalars", "schema"}
ALLOWED = {
    "connectivity": set(),
    "tasks": set(),
    "layers": {"connectivity"},
    "training": {"layers", "tasks"},
    "analysis": set(),
    "store": {"tasks", "analysis"},
    "plots": {"analysis"},
    "report": {"analysis", "plots", "store"},
    "experiment": {"connectivity", "tasks", "layers", "training", "store", "analysis"},
    "cli": {"experiment", "report", "store", "analysis"},
}


def modules_loaded_by(code: str) -> set[str]:
    printed = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(printed.stdout.split())


def test_importing_biornn_loads_less_than_importing_xarray() -> None:
    assert modules_loaded_by("import biornn") < modules_loaded_by("import biornn, xarray")
    assert not modules_loaded_by("import biornn") & {"numpy", "xarray", *BACKENDS}


@pytest.mark.parametrize(
    "code",
    [
        "import biornn as bn; bn.tasks.FlipFlop().sample(2, 0); bn.Connectivity(3).recurrent",
        "import biornn as bn; bn.analysis, bn.plots, bn.schema, bn.store, bn.audit, bn.validate, bn.open_run",
        "import biornn.cli, biornn.report.workers, biornn.report.summary",
    ],
)
def test_the_reading_half_loads_no_backend(code: str) -> None:
    assert not modules_loaded_by(code) & set(BACKENDS)


def test_opening_a_run_loads_no_library_of_statistics() -> None:
    """They take as long to load as all that opening a run needs."""
    code = "import biornn as bn; bn.open_run, bn.validate, bn.analysis.compare"
    assert not modules_loaded_by(code) & {"scipy.stats", "scipy.optimize", "sklearn"}


def test_every_public_name_is_there() -> None:
    code = "import biornn as bn\nfor name in bn.__all__: getattr(bn, name)"
    assert "biornn.training" in modules_loaded_by(code)


def imports_of(path: Path) -> set[str]:
    """Parts of biornn that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
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
            nodes = ast.walk(ast.parse(path.read_text()))
            imports[module] = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    assert len(list(TopologicalSorter(imports).static_order())) >= len(imports)  # raises CycleError
