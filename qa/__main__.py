"""`python -m qa`: ask, search."""

import sys

from indexes.console import main
from indexes.settings import IndexSettings
from qa.commands import add_commands

sys.exit(main("python -m qa", [add_commands], IndexSettings, None))
