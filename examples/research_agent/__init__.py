"""A small research agent without a framework, traced with agenttrace. Start reading at ``agent.py``."""
