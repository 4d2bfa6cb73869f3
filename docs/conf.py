"""Settings of the documentation."""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

project = "biornn"
author = copyright = "The biornn developers"
version = release = installed_version("biornn")

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "benchmarks", "gallery", "generated/settings.md"]  # what is included in a page
html_theme = "furo"
html_title = "biornn"
html_static_path, html_css_files = ["_static"], ["tables.css"]

# Notebooks are text, run at every build; a cell that fails fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
# Pages, such as "paper.md", whose cells are left as they are: see .ci/run.
nb_execution_excludepatterns = os.environ.get("PAGES_NOT_RUN", "").split()
suppress_warnings = ["myst-nb.lexer"] if nb_execution_excludepatterns else []  # only a kernel says its language
nb_execution_timeout = 1800  # s for one cell: some train networks
nb_merge_streams = True
myst_enable_extensions = ["attrs_inline", "dollarmath"]
myst_heading_anchors = 3
# The kernels find the commands of this environment, and leave the screen to the page.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "88"}

# The page of every setting includes these tables.
sys.path.insert(0, str(Path(__file__).parent))
from settings_tables import tables  # noqa: E402

(Path(__file__).parent / "generated").mkdir(exist_ok=True)
(Path(__file__).parent / "generated" / "settings.md").write_text(tables(), encoding="utf-8")

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections and the signature say them
numpydoc_show_class_members = False
