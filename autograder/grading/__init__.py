"""A class's submissions become records, each graded in the sandbox."""
