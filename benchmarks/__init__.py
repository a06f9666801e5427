"""Winnow against the field on generated drops; RESULTS.md is written by `make bench`."""
