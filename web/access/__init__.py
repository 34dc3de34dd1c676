"""Who is let in, as whom, and how often?

`gate` stands before every route and asks `policy` who is there: the holder of a key (`keys`), a user whom a proxy names
(`proxies`), somebody at the machine itself, or nobody; it refuses forged requests (`forgery`) and too many (`rates`).
`principals` is what routes know of it. `commands` is `footnote keys`.
"""
