"""The project against the real thing: a Phoenix server in a process of its own (`make test-e2e`)."""
