#!/usr/bin/env python3
"""Prints the values in Tests/MienCoreTests/McNemarTests.swift: exact two-sided McNemar tests as SciPy 1.15 gives them.
`statsmodels.stats.contingency_tables.mcnemar(table, exact=True)` is the same binomial test.

    pip install scipy==1.15.3 && scripts/golden/mcnemar.py
"""
from scipy.stats import binomtest

for first, second in [(0, 0), (1, 0), (5, 5), (3, 9), (10, 2), (0, 20), (59, 85), (121, 59), (4000, 3800), (2000, 0)]:
    p = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    print(f"({first}, {second}, {float(p)!r}),")
