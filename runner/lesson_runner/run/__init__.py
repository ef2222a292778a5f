"""Run a lesson: plan it, run each step, judge it, record it."""
