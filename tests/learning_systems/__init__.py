"""In and out of learning systems, with files in the systems' own form: nobody lost, nobody mistaken."""
