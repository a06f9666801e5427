"""Which columns carry signal: cross-fitted nets, attributions, held-out gain and score, metrics. Arrays in, arrays out."""
