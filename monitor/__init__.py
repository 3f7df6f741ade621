"""Schoolwatch: looks after a school's social media accounts."""

__version__ = "0.1.0"
