"""``python -m agenttrace.cli``, for where the ``agenttrace`` command isn't on the path."""

from agenttrace.cli import main

main()
