"""The forms of the file of keys, one after the other."""
