"""What is stored while questions are answered.

- `records`: answers and questions as they are stored and come back.
- `article_views`: views and votes of articles, by day, without anything to tell a reader by.
- `sqlite`: both in one SQLite file. Another database gets a package beside it with the same stores, `AnswerStore`
  (`qa.conversations`), `QuestionLog` (`qa.insights.usage`) and `ViewStore` (`qa.journal.article_views`).
"""
