"""What people read: feedback on an answer, the class report."""
