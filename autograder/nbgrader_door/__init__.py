"""nbgrader's database and pipeline: every mark that leaves goes through it."""
