"""Biologically constrained recurrent neural networks: build, train, record, analyse, compare.

Names are loaded when they are first used, so that ``import biornn`` costs next to nothing and the reading half
(tasks, schema, store, analysis, plots) never loads Keras. What there is stands in ``__init__.pyi``.
"""

import lazy_loader

from biornn._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
