"""How good retrieval and answers are, on judged questions.

sets     a judged set, asked through the code that answers users
metrics  ranking and abstention metrics, as pure functions
"""
