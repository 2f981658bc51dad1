"""What is made of the records of a class: a page to project, and files for other systems."""
