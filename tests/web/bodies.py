"""Bodies of requests that every route which takes an object has to refuse."""

NO_OBJECTS = (b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"[" * 900 + b"]" * 900)
