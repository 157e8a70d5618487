"""The report: from a run folder to one JSON file of facts and one HTML page for people."""

from __future__ import annotations

from retrograd.report.schema import Facts, check_schema

__all__ = ["Facts", "check_schema"]
