"""The version, where both setup.cfg and the package can read it without importing anything else."""

__version__ = "0.1.0"
