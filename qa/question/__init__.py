"""What is done to a question before anything is searched for.

courtesy    replies to greetings and thanks
follow_ups  a follow-up and its history to a question that stands alone
spelling    typing errors to words that articles have
parts       the parts of a question that asks for several things
"""
