"""Learning paths, and the desks of the learner, the manager and the HR officer."""
