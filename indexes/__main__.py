"""`python -m indexes`: status, verify, snapshots, rollback."""

import sys

from indexes.commands import add_commands
from indexes.console import main, parser
from indexes.settings import IndexSettings

sys.exit(main(parser("python -m indexes", [add_commands]), IndexSettings))
