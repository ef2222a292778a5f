"""
Run lessons for real: parse, validate, execute, judge and record every step.

This module imports nothing, so that ``lesson --help`` stays fast. Plugin authors start at
:mod:`lesson_runner.plugins`.
"""

__version__ = "0.1.0"
