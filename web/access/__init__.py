"""Who is let in, as whom, and how often.

`policy` finds out who sent a request: the holder of a key (`keys`, stored by `sqlite_keys`), a user whom a proxy names
(`proxies`), somebody at the machine itself, or nobody. `forgery` recognises forged requests; `rates` counts them, in a
storage of `limits` (`rate_storage`). `rules` is all of it together, `principals` what routes know of it.
"""
