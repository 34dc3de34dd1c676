"""The forms of the journal, one after the other."""
