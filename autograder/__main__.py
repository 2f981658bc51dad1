"""The command line again, as `python -m autograder`."""

from autograder.cli import main

main()
