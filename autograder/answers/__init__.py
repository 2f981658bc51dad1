"""What a call gave: its arrays, how they travel between processes, how they compare with others."""
