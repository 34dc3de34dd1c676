"""`python -m web`: the `footnote` command."""

import sys

from web.cli import main

sys.exit(main())
