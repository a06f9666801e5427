"""Which columns carry signal: cross-fitted nets, attributions, held-out gain, score, metrics. Arrays in, arrays out."""
