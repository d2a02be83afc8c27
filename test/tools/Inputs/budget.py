"""Writes a random picture for budget.mlir."""
import sys
import numpy

numpy.save(sys.argv[1], numpy.random.default_rng(3).standard_normal((128, 256)).astype(numpy.float32))
