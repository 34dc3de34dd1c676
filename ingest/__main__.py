"""`python -m ingest ingest SOURCE…`."""

import sys

from indexes.console import main, parser
from indexes.settings import IndexSettings
from ingest.commands import add_commands

sys.exit(main(parser("python -m ingest", [add_commands]), IndexSettings))
