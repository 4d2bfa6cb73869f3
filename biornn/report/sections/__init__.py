"""The sections of a report: one place lists them, one file holds each."""

from biornn.report.section import MakeSection
from biornn.report.sections.activity import activity
from biornn.report.sections.balance import balance
from biornn.report.sections.comparison import comparison
from biornn.report.sections.connectivity import connectivity
from biornn.report.sections.constraints import constraints
from biornn.report.sections.cubes import cubes
from biornn.report.sections.data import data
from biornn.report.sections.design import design
from biornn.report.sections.differences import differences
from biornn.report.sections.failures import failures
from biornn.report.sections.learning import learning
from biornn.report.sections.networks import networks
from biornn.report.sections.robustness import robustness
from biornn.report.sections.selectivity import selectivity
from biornn.report.sections.settings import settings
from biornn.report.sections.similarity import similarity
from biornn.report.sections.spectra import spectra
from biornn.report.sections.versions import versions

#: In the order of the page.
SECTIONS: tuple[MakeSection, ...] = (
    design,
    constraints,
    failures,
    comparison,
    differences,
    learning,
    robustness,
    spectra,
    cubes,
    similarity,
    connectivity,
    balance,
    activity,
    selectivity,
    networks,
    settings,
    data,
    versions,
)
