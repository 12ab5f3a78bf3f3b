from learning.models.paths import PathAssignment, PathPlan, PathStep

__all__ = ["PathAssignment", "PathPlan", "PathStep"]
