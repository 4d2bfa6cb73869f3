"""A run for its readers, from the store alone: figures, tables, and one page that holds them all."""

from biornn.report.figures import save_figures
from biornn.report.network_table import network_table
from biornn.report.page import write_report
from biornn.report.summary import comparison_table, summarise

__all__ = ["comparison_table", "network_table", "save_figures", "summarise", "write_report"]
