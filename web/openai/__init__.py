"""How does a client of OpenAI's API get an answer?

`dialogue` reads its messages as a question with a history, `completions` writes the answer as it expects one, `errors`
what went wrong; `tokens` counts as it does.
"""
