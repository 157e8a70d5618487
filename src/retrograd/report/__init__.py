"""The report: from a run folder to one JSON file of numbers and one HTML page for people."""

from __future__ import annotations

from retrograd.report.build import build_report
from retrograd.report.files import read_run, write_report
from retrograd.report.page import render
from retrograd.report.schema import Facts, check_schema

__all__ = ["build_report", "write_report", "render", "read_run", "Facts", "check_schema"]
