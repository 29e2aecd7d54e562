"""What ``smolagents_manager.py`` needs without a network: pages to search and visit, and a model that goes by rules."""
