"""The stages. Each takes the rows its predecessor left, writes its own, and knows none of the others."""
