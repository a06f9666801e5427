"""Small benchmarks of the kernels, each beside what a library would do instead; the figures to read are the ratios."""
