"""Change initiatives, surveys and scores.

The floor is laid so that the house has its place in settings and in the architecture test; its models come
with the work on change readiness and are not part of the walking product.
"""
