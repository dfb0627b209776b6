"""The command line, a file a group of commands."""

from gridcal.cli.app import main

__all__ = ["main"]
