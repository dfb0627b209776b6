"""Durable results: a study's folder, its stores and ledger, where tiles run, how far they are."""

from gridcal.study.folder import Study

__all__ = ["Study"]
