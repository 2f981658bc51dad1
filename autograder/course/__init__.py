"""What an instructor writes, and where it lies: masters, exercises, their mistakes."""
