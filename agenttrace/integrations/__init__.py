"""Frameworks, traced through what they themselves offer for it: subclasses and documented hooks, one module each.

Nothing here patches anything. A module imports its framework, so it needs the extra of that framework's name, such as
``agenttrace-otel[smolagents]``; ``import agenttrace`` imports none of them.
"""
