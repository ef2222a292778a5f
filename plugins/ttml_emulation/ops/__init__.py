"""The operations of `ttml.ops`, one module a family, each with its gradient written out.

Every operation reads bfloat16 (in `device` numerics), works in float32 and rounds each result once.
"""
