"""A drop with planted truth, and the judgement of what was found in it."""
