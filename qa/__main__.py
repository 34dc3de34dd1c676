"""`python -m qa`: ask, search."""

import sys

from indexes.console import main, parser
from indexes.settings import IndexSettings
from qa.commands import add_commands

sys.exit(main(parser("python -m qa", [add_commands]), IndexSettings))
