"""Decides who is let in, as whom, and how often. `web.middleware.authentication` applies it to every request.

rules       all that a request is held against
policy      who sent a request: the holder of a key, a user whom a proxy names, somebody at the machine, or nobody
keys        API keys and the sessions of browsers, in a file
proxies     which proxies are trusted, and what they say of the client
forgery     requests that another site sent in a user's name
rates       how often one caller may ask, read, or be wrong about a key
principals  what routes know of whoever sent a request
"""
