"""What an exercise is tried with, what is expected, and what each mistake would give."""
