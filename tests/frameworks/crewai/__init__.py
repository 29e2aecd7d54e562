"""CrewAI, in an environment of its own: `.venv-crewai/bin/python -m pytest tests/frameworks/crewai`."""
