"""
Pages of ``docs/`` that are generated from the code: ``python -m tools.docs`` writes them all.

Each module has the page's path (``PAGE``) and a function that returns the page's text (``text``).
"""
