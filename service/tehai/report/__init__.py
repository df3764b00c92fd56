"""A solve's answer for people: plain functions from problem and result to tables, and the summary for programs."""

from tehai.report.report import report
from tehai.report.summary import result_summary

__all__ = ["report", "result_summary"]
