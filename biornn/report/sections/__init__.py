"""The sections of a report: one place lists them, one file holds each."""

from collections.abc import Mapping

from biornn.report.section import MakeSection
from biornn.report.sections.activity import activity
from biornn.report.sections.answer import answer
from biornn.report.sections.balance import balance
from biornn.report.sections.behaviour import behaviour
from biornn.report.sections.cell_types import cell_types
from biornn.report.sections.connectivity import connectivity
from biornn.report.sections.constraints import constraints
from biornn.report.sections.cubes import cubes
from biornn.report.sections.data import data
from biornn.report.sections.design import design
from biornn.report.sections.differences import differences
from biornn.report.sections.fixed_points import fixed_points
from biornn.report.sections.generalisation import generalisation
from biornn.report.sections.learning import learning
from biornn.report.sections.networks import networks
from biornn.report.sections.retention import retention
from biornn.report.sections.robustness import robustness
from biornn.report.sections.scores import scores
from biornn.report.sections.selectivity import selectivity
from biornn.report.sections.settings import settings
from biornn.report.sections.similarity import similarity
from biornn.report.sections.spectra import spectra
from biornn.report.sections.states import states
from biornn.report.sections.trial_conditions import trial_conditions

#: Name -> what makes the section, in the order of the page; the answer comes first and is always there.
SECTIONS: Mapping[str, MakeSection] = {
    make.__name__: make
    for make in (
        answer,
        design,
        differences,
        learning,
        scores,
        behaviour,
        trial_conditions,
        generalisation,
        states,
        retention,
        fixed_points,
        robustness,
        spectra,
        cubes,
        similarity,
        connectivity,
        cell_types,
        balance,
        activity,
        selectivity,
        constraints,
        networks,
        settings,
        data,
    )
}
