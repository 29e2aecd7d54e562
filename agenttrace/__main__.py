"""``python -m agenttrace``, for where the ``agenttrace`` command isn't on the path."""

from agenttrace.cli import main

if __name__ == "__main__":
    main()
