"""A run for its readers, from the store alone: tables, figures, and one page that holds them all."""

from biornn.report.evaluation_table import evaluation_table
from biornn.report.figures import FIGURES, figure, save_figure
from biornn.report.fixed_point_counts import fixed_point_counts, fixed_point_table
from biornn.report.network_table import network_table
from biornn.report.summary import comparison_table, summarise
from biornn.report.write import write_report

__all__ = [
    "FIGURES",
    "comparison_table",
    "evaluation_table",
    "figure",
    "fixed_point_counts",
    "fixed_point_table",
    "network_table",
    "save_figure",
    "summarise",
    "write_report",
]
