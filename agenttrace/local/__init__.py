"""The store of traces on this machine, and the picture of a trace in the terminal."""
