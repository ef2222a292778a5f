"""
Pages of ``docs/`` that are made from the code: ``python -m tools.docs`` writes them all.

Each module has the page's path (``PAGE``) and a function that returns what it should say (``text``).
"""
