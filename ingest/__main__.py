"""`python -m ingest ingest SOURCE…`."""

import sys

from indexes.console import main
from indexes.settings import IndexSettings
from ingest.commands import add_commands

sys.exit(main("python -m ingest", [add_commands], IndexSettings, None))
