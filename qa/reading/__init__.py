"""Reading: how well each quotable of the retrieved passages answers a question, and whether any of them does.

reading          Reading, the value that decides both; SearchedQuestion, what is read for
rule_scorer      the first SpanScorer: weighs quotables by rules
evidence         the confidence: what speaks for an answer and what against one
question_form    what the wording of a question asks for
features         features of quotables that do not depend on the question
term_coverage    how much of a question's terms a text covers
missing          what an answer leaves open
"""
