"""A run on disk: written network by network, opened with plain xarray, exported, and imported from older formats.

Names are loaded when they are first used: who opens a run needs neither Dask, h5py nor the tasks. What there is stands
in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
