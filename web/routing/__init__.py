"""What a route declares about itself, known before a request is routed.

facts   who may call a route, what a call costs, how its errors are told; `declare` puts them beside the route
table   the facts of whatever a request asks for, also where that is no route
"""
