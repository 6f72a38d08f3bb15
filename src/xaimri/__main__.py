"""The command line as ``python -m xaimri``."""

from xaimri.cli import main

if __name__ == "__main__":
    main()
