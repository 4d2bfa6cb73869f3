"""Experiments: conditions times seeds, checked, run in parallel, gathered in one store."""

from biornn.experiment.config import Experiment, ExperimentError, load_experiment
from biornn.experiment.design import NetworkSpec, expand
from biornn.experiment.run import run_experiment

__all__ = ["Experiment", "ExperimentError", "NetworkSpec", "expand", "load_experiment", "run_experiment"]
