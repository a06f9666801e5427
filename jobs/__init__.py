"""What is done with one drop, from its snapshot to its commit. jobs/run.py is the table of contents."""
