"""OpenInference's vocabulary: the attribute names and what values under them look like."""
