"""An answer becomes a judgement: what is right, what is wrong first, and which mistake it looks like."""
