"""The command line.

``biornn plan | run | import | export | report | figure | fixed-points | evaluate | audit | info``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from biornn._version import __version__
from biornn.errors import in_one_line, printable
from biornn.output import lossy_output

if TYPE_CHECKING:
    import xarray as xr
    from rich.progress import Progress


@lossy_output()
def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of this process, and return its exit status.

    0 if all is well, 1 if networks failed or constraints are violated, 2 for input that cannot be used, 130 if
    interrupted, by Ctrl-C or by SIGTERM, which clusters send before they kill.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except (ValueError, OSError, RuntimeError) as error:
        sys.stderr.write(f"biornn: {in_one_line(_message(error))}\n")
        return 2
    except MemoryError as error:
        sys.stderr.write(f"biornn: expected an experiment that fits into memory, got: {error}\n")
        return 2
    except KeyboardInterrupt as interruption:
        told = f": {_message(interruption)}" if str(interruption) else ""
        sys.stderr.write(f"biornn: interrupted{told}\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="biornn", description="Biologically constrained recurrent neural networks.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    plan = commands.add_parser("plan", help="say what an experiment will be: networks, parameters, time, disk")
    _add_experiment(plan)
    plan.set_defaults(command=_plan)

    run = commands.add_parser("run", help="train the networks of an experiment and leave a run folder")
    _add_experiment(run)
    run.add_argument("--out", metavar="DIR", type=Path, help="run folder (default: runs/NAME of the experiment file)")
    there = run.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="replace a run that is already in DIR")
    there.add_argument(
        "--resume",
        action="store_true",
        help="go on with a run in DIR that was broken off; it ends as if it had not been (begins where there is none)",
    )
    run.add_argument("--no-report", action="store_true", help="make no figures and no report (`biornn report` does)")
    run.add_argument(
        "--checkpoint-seconds",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="shortest time between two checkpoints of a network (default: %(default)g)",
    )
    run.set_defaults(command=_run)

    imported = commands.add_parser(
        "import",
        help="make a run from the HDF5 files of an older Keras network",
        description="Make a run from the HDF5 files of a network (SimpleRNN, then Dense) that Keras 1 or 2 trained. A "
        "file with 'initial' in its name comes first, the others in natural order. The network is simulated on "
        "held-out trials of its task and on the probe, if there is one; nothing in the files is executed.",
    )
    imported.add_argument("files", metavar="FILE", type=Path, nargs="+", help="snapshots of one training")
    imported.add_argument("--out", metavar="RUN", type=Path, required=True, help="run folder")
    imported.add_argument("--task", metavar="NAME", help="its task (default: as of an experiment that names none)")
    imported.add_argument("--name", default="imported", help="name of the network (default: %(default)s)")
    imported.add_argument("--trials", metavar="N", type=_positive, default=64, help="held-out trials (default: 64)")
    imported.add_argument("--overwrite", action="store_true", help="replace a run that is already in RUN")
    imported.set_defaults(command=_import)

    exported = commands.add_parser(
        "export",
        help="write a run as one NetCDF or MATLAB file, or as tables, for programs that read no Zarr",
        description="Write a run as one NetCDF-4 file, its groups as groups; as one .mat file, its groups as structs; "
        "or as a folder of tables, without what is measured over time and without the weights before the last "
        "snapshot.",
    )
    exported.add_argument("run", metavar="RUN", type=Path)
    form = exported.add_mutually_exclusive_group(required=True)
    form.add_argument("--netcdf", metavar="FILE", type=Path, help="file to write, such as run.nc")
    form.add_argument("--mat", metavar="FILE", type=Path, help="file to write, such as run.mat")
    form.add_argument("--csv", metavar="DIR", type=Path, help="folder to write, such as tables")
    exported.add_argument("--overwrite", action="store_true", help="replace what is already there")
    exported.set_defaults(command=_export)

    report = commands.add_parser("report", help="make the report and the figures of a run, or what changed of them")
    report.add_argument("run", metavar="RUN", type=Path)
    report.add_argument("--workers", metavar="N", type=_positive, help="processes (default: number of cores)")
    report.add_argument("--anew", action="store_true", help="make all of it again, changed or not")
    report.set_defaults(command=_report)

    figure = commands.add_parser(
        "figure",
        help="draw one figure of the report for a paper, or list those of a run",
        description="Draw one figure of the report of a run, with its fonts and at the width of a column, or list the "
        "names of its figures.",
    )
    figure.add_argument("run", metavar="RUN", type=Path)
    figure.add_argument("name", metavar="NAME", nargs="?", help="of the figure (default: list all)")
    figure.add_argument(
        "--network",
        metavar="NETWORK",
        nargs="+",
        action="extend",
        default=[],
        help="networks to show in place of one per condition, in figures of single networks",
    )
    figure.add_argument(
        "--width",
        help="such as 85mm, 8.5cm or 3.35in: panels grow or shrink, text does not (default: as in the report)",
    )
    figure.add_argument("--format", choices=("pdf", "svg", "png"), help="(default: that of --out, or pdf)")
    figure.add_argument("--out", metavar="FILE", type=Path, help="file to write (default: NAME.pdf)")
    figure.add_argument("--overwrite", action="store_true", help="replace a file that is already there")
    figure.set_defaults(command=_figure)

    points = commands.add_parser(
        "fixed-points",
        help="find the fixed points of the trained networks of a run, and add them to it",
        description="Find the fixed points of the trained networks of a run, without input, and add them to it as the "
        "groups fixed_points and memory_attractors; `biornn report` then shows them. A search that was broken off goes "
        "on. Each network is searched from batches of starts until the last three, and the last fifth of them, have "
        "found nothing new.",
    )
    points.add_argument("run", metavar="RUN", type=Path)
    points.add_argument("--workers", metavar="N", type=_positive, help="networks at a time (default: number of cores)")
    points.add_argument("--starts", metavar="N", type=_positive, default=128, help="in a batch (default: %(default)s)")
    points.add_argument("--batches", metavar="N", type=_positive, default=6, help="at most (default: %(default)s)")
    points.add_argument("--anew", action="store_true", help="search again, also with the same settings")
    points.set_defaults(command=_fixed_points)

    evaluate = commands.add_parser(
        "evaluate",
        help="evaluate the networks of a run on other settings of their task, and add the scores to it",
        description="Evaluate the networks of a run, without further training, on new trials of their task: as it is, "
        "and with other settings, such as longer delays. Each --set is one evaluation. The scores are added to the run "
        "as the group evaluations, beside earlier ones; `biornn report` then shows them.",
    )
    evaluate.add_argument("run", metavar="RUN", type=Path)
    evaluate.add_argument(
        "--set",
        metavar="KEY=VALUE",
        nargs="+",
        action="append",
        default=[],
        help="settings of one evaluation, such as task.delay=3000, or task.noise=0.2 network.recurrent_noise=0.1",
    )
    evaluate.add_argument("--trials", metavar="N", type=_positive, default=512, help="(default: %(default)s)")
    evaluate.add_argument("--seed", metavar="N", type=int, default=0, help="of the trials (default: %(default)s)")
    evaluate.add_argument("--anew", action="store_true", help="evaluate again, also with the same settings")
    evaluate.set_defaults(command=_evaluate)

    audit = commands.add_parser("audit", help="check the constraints of a run; exit status 1 if one is violated")
    audit.add_argument("run", metavar="RUN", type=Path)
    audit.set_defaults(command=_audit)

    info = commands.add_parser("info", help="say what a run holds, what its networks are, and compare its conditions")
    info.add_argument("run", metavar="RUN", type=Path)
    info.set_defaults(command=_info)
    return parser


def _add_experiment(parser: argparse.ArgumentParser) -> None:
    """Add what says which networks, and where they are trained."""
    parser.add_argument("experiment", metavar="EXPERIMENT.yaml", type=Path)
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="change settings of the file, such as network.n_units=64 seeds=5",
    )
    parser.add_argument(
        "--from",
        metavar="RUN",
        dest="source",
        help="go on from the networks of a finished run, those of the same condition and seed (start.run of the file)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", metavar="N", type=_positive, help="networks at a time (default: number of cores)")
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="train on the workers of a running Dask scheduler, such as tcp://HOST:8786",
    )


def _changes(options: argparse.Namespace) -> list[str]:
    """Return the changes to the file that the command line makes."""
    source = [] if options.source is None else [f"start.run={json.dumps(options.source)}"]
    return [*source, *options.set]


def _plan(options: argparse.Namespace) -> int:
    from biornn.experiment import load_experiment, plan_experiment, plan_table

    experiment = load_experiment(options.experiment, _changes(options))
    plan = plan_experiment(experiment, n_workers=options.workers, scheduler=options.scheduler)
    _console().print(plan_table(plan))
    return 0


def _run(options: argparse.Namespace) -> int:
    from biornn.experiment import load_experiment, run_experiment
    from biornn.schema import validate

    experiment = load_experiment(options.experiment, _changes(options))
    out = options.out or Path("runs") / options.experiment.stem

    def prepare_report() -> None:
        if not options.no_report and options.workers != 1:
            with suppress(OSError):  # the report will say so
                _start_forkserver("biornn.report.preloaded")

    run = run_experiment(
        experiment,
        out,
        n_workers=options.workers,
        scheduler=options.scheduler,
        overwrite=options.overwrite,
        resume=options.resume,
        checkpoint_seconds=options.checkpoint_seconds,
        on_last=prepare_report,
    )
    prepare_report()  # of a run that was there already
    validate(run)
    summary = _show(run, out, options.workers, with_report=not options.no_report)
    return 0 if summary["trained"].all() and not summary["violations"].any() else 1


def _show(
    run: xr.DataTree, folder: Path, n_workers: int | None, *, anew: bool = False, with_report: bool = True
) -> xr.Dataset:
    """Show the comparison of the conditions, leave the report in the folder of a run, and return the comparison."""
    from dask.system import CPU_COUNT

    n_workers = n_workers or CPU_COUNT
    from biornn.report import comparison_table
    from biornn.report.reading import Reading

    reading = Reading(run)
    if not with_report:
        _console().print(comparison_table(reading.summary))
        _tell(f"run: {folder}  (`biornn report {folder}` makes the figures and the report)")
        return reading.summary
    from biornn.report import write_report

    with _progress() as display:
        task = display.add_task("report", total=None)

        def show(done: int, of: int) -> None:
            display.update(task, completed=done, total=of)

        try:
            report = write_report(folder, reading=reading, n_workers=n_workers, anew=anew, show=show)
        except Exception as error:
            told = f"{folder}: the run is complete, but not its report, got: {_message(error)}"
            raise RuntimeError(f"{told}; go on with `biornn report`") from error
        finally:  # what the workers of the report have computed is not computed again
            display.stop()
            _console().print(comparison_table(reading.summary))
    _tell(f"run: {folder}  figures: {folder / 'figures'}  report: {report}")
    return reading.summary


def _progress() -> Progress:
    """Make a bar on standard error, which is not shown where that is no terminal."""
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _start_forkserver(preloaded: str) -> None:
    """Start the process that workers are copied from: it imports a module while this process goes on."""
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload([preloaded])
    forkserver.ensure_running()


def _opened(path: Path) -> xr.DataTree:
    """Open a run, look whether it is whole, and say on standard error what was changed since it was written."""
    from biornn.schema import text, validate
    from biornn.store import changes, open_run

    run = open_run(path)
    validate(run)
    status = text(run["history"].to_dataset()["status"])
    if n_left := int((status == "interrupted").sum()):
        sys.stderr.write(
            f"biornn: {path}: the run was interrupted, {n_left} of {status.size} networks were not trained; "
            "`biornn run … --resume` goes on\n"
        )
    if changed := changes(path):
        sys.stderr.write(f"biornn: {path}: not as it was written: {printable(', '.join(changed))}\n")
    return run


def _report(options: argparse.Namespace) -> int:
    if options.workers != 1:
        _start_forkserver("biornn.report.preloaded")
    from biornn.store import run_folder

    run = _opened(options.run)
    _show(run, run_folder(options.run), options.workers, anew=options.anew)
    return 0


def _figure(options: argparse.Namespace) -> int:
    from biornn.report import FIGURES, figure, save_figure
    from biornn.report.figures import check_figure_file
    from biornn.store import run_folder

    if options.name is None:
        _opened(options.run)
        there = [name for name in FIGURES if (run_folder(options.run) / "figures" / f"{name}.png").exists()]
        for name in there or FIGURES:
            _tell(f"{name:{max(map(len, FIGURES))}}  {FIGURES[name].shows}")
        if not there:
            sys.stderr.write(
                f"biornn: {options.run}: all that there is; which of them this run has, `biornn report` finds\n"
            )
        return 0
    target = options.out or Path(f"{options.name}.{options.format or 'pdf'}")
    if options.format and target.suffix != f".{options.format}":
        raise ValueError(f"--out: expected a name that ends with .{options.format}, as --format says, got {target}")
    check_figure_file(target, options.overwrite)
    drawn = figure(_opened(options.run), options.name, network=options.network, width=options.width)
    save_figure(drawn, target, overwrite=options.overwrite)
    width, height = (25.4 * inches for inches in drawn.get_size_inches())
    _tell(f"figure: {target}  {width:.0f} x {height:.0f} mm")
    return 0


def _fixed_points(options: argparse.Namespace) -> int:
    if options.workers != 1:
        _start_forkserver("biornn.store.fixed_points")
    from dask.system import CPU_COUNT

    from biornn.report import fixed_point_table
    from biornn.store import add_fixed_points

    _opened(options.run)
    with _progress() as display:
        task = display.add_task("fixed points", total=None)
        run = add_fixed_points(
            options.run,
            n_workers=options.workers or CPU_COUNT,
            show=lambda done, of: display.update(task, completed=done, total=of),
            anew=options.anew,
            n_starts=options.starts,
            max_batches=options.batches,
        )
    _console().print(fixed_point_table(run))
    _tell(f"run: {options.run}  (`biornn report {options.run}` shows them)")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from biornn.experiment.evaluation import evaluations_of
    from biornn.report import evaluation_table
    from biornn.store import add_evaluations

    run = _opened(options.run)
    evaluations = evaluations_of(run["trials"].to_dataset(), options.set)
    with _progress() as display:
        task = display.add_task("evaluations", total=None)
        run = add_evaluations(
            options.run,
            evaluations,
            n_trials=options.trials,
            seed=options.seed,
            show=lambda done, of: display.update(task, completed=done, total=of),
            anew=options.anew,
        )
    _console().print(evaluation_table(run))
    _tell(f"run: {options.run}  (`biornn report {options.run}` shows them)")
    return 0


def _import(options: argparse.Namespace) -> int:
    from biornn.store import import_keras_hdf5

    run = import_keras_hdf5(
        options.files,
        options.out,
        name=options.name,
        task=options.task,
        n_trials=options.trials,
        overwrite=options.overwrite,
    )
    _show(run, options.out, None)
    return 0


def _export(options: argparse.Namespace) -> int:
    from biornn.store import export_csv, export_mat, export_netcdf

    for form, export in {"netcdf": export_netcdf, "mat": export_mat, "csv": export_csv}.items():
        if target := getattr(options, form):
            written = export(options.run, target, overwrite=options.overwrite)
            files = [path for path in (written, *written.rglob("*")) if path.is_file()]
            _tell(f"{form}: {written}  {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")
    return 0


def _audit(options: argparse.Namespace) -> int:
    from biornn.analysis import audit
    from biornn.schema import is_trained

    run = _opened(options.run)
    counts = audit(run)
    n_violations = 0
    for network in counts["network"].values:
        one = counts.sel(network=network)
        kinds = ("sign_violations", "mask_violations", "autapses", "fixed_changes")
        found = {name: int(one[name].sum()) for name in kinds}
        n_violations += sum(found.values())
        status = run["history"].to_dataset()["status"].sel(network=network)
        signs = "rates non-negative" if one["non_negative_rates"] else "rates of both signs"
        words = [*(f"{name} {count}" for name, count in found.items()), signs if is_trained(status) else "no rates"]
        _tell("  ".join([str(network), *words, str(status.values)]))
    n_snapshots = counts.sizes["snapshot"]
    _tell(f"{n_violations} violations in {counts.sizes['network']} networks at {n_snapshots} snapshots each")
    return 1 if n_violations else 0


def _info(options: argparse.Namespace) -> int:
    from biornn.report import comparison_table, network_table, summarise

    run = _opened(options.run)
    console = _console()
    _tell(f"{run.attrs['title'] or 'untitled'} ({run.attrs['created']})")
    versions = json.loads(run.attrs["versions"])
    _tell("  ".join(f"{name} {number}" for name, number in versions.items()))
    source = json.loads(run.attrs["experiment"]).get("imported")
    if source:
        snapshots = run["weights"].to_dataset()["snapshot"].values.tolist()
        files = ", ".join(
            f"{file} (snapshot {snapshot})" for file, snapshot in zip(source["files"], snapshots, strict=False)
        )
        _tell(f"imported from Keras {source['keras_version']}: {files}")
    for group, node in run.children.items():
        _tell(f"/{group}  {_sizes(node.to_dataset())}")
    console.print(network_table(run))
    console.print(comparison_table(summarise(run)))
    return 0


def _sizes(dataset: xr.Dataset) -> str:
    return ", ".join(f"{dim} {size}" for dim, size in dataset.sizes.items())


def _tell(line: str) -> None:
    """Print a line in which there may be text of a run, or of a path: as it is."""
    _console().print(printable(line), highlight=False, markup=False, soft_wrap=True)


def _console() -> Console:
    # Elsewhere than in a terminal rich assumes 80 columns, and would cut the table; unless someone says how many.
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=180)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a time of at least 0 s, got {text!r}")
    return seconds


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return "; ".join(filter(None, [str(error), getattr(error, "advice", "")]))


if __name__ == "__main__":
    sys.exit(main())
