"""Programs under test: each registers, ends spans, and comes to the end that its name says."""
