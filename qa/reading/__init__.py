"""Reading: which of the passages found answer, with which spans, or that none does.

reading          SearchedQuestion, ReadPassage, Reading
features         question and passages as figures
network          the learned weights
learned_scorer   the SpanScorer: features and weights to a Reading
missing          names that no article mentions
term_coverage    how much of a question's terms a text covers
"""
