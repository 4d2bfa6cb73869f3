"""Experiments: conditions times seeds, checked, run in parallel, gathered in one store."""

from biornn.experiment.design import NetworkSpec, expand
from biornn.experiment.experiment import Experiment
from biornn.experiment.load import load_experiment
from biornn.experiment.messages import ExperimentError
from biornn.experiment.plan import plan_experiment, plan_table
from biornn.experiment.run import Interrupted, run_experiment

__all__ = [
    "Experiment",
    "ExperimentError",
    "Interrupted",
    "NetworkSpec",
    "expand",
    "load_experiment",
    "plan_experiment",
    "plan_table",
    "run_experiment",
]
