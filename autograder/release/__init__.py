"""Masters become the students' notebooks, their checks, solved pages and slides."""
