"""Running a lesson: plan, run each step, judge it, record it."""
