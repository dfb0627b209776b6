"""Run the command line with ``python -m gridcal``."""

import sys

from gridcal.cli import main

if __name__ == "__main__":
    sys.exit(main())
