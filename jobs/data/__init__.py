"""Arrays in, arrays out: split, scaling, correlation, pruning. No store, settings, clock or logger."""
