"""What every request passes on the way to its route, outermost first.

route_lookup     what its route has declared
admission        refuses early what is too much; inside of all others, lets requests work as their turns come
head_requests    answers HEAD as GET
headers          adds security headers
problems         tells errors as problem+json or as a page
openai_errors    tells them in the shape of OpenAI's API
authentication   finds out who sends it, and counts it
body_limit       tells of a body that is too large

Beside these stand `web.observing.recording`, and Starlette's for other origins and for the size of a body.
"""
