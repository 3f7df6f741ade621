"""Functional tests of the shipped classifier, after the idea of HateCheck and CheckList: small cases, each of which
probes one thing that a figure over many comments hides.

cases/*.yaml            the cases, one file a capability (cases.py says what a case may hold)
identity.yaml           sentences of praise and the groups of people they are said of (identity.py, gaps.py)
roster.yaml             Oxlip Bank School, which no training comment knows
known_failures.yaml     what the shipped model gets wrong, listed openly

`python -m tests.functional.known_failures` lists the failures anew and prints the share of each capability
that passes; `python -m tests.functional.gaps` prints how hate and abuse are scored in praise of each group.
"""
