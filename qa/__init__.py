"""From a question to a cited answer, or a refusal.

answering           the steps, top to bottom; the Protocols of scorer, writer and verifier
question/           what is done to a question before anything is searched for
retrieval           keyword and vector rankings, fused into passages
reading/            how well each quotable answers, and whether any does
writing/            statements that rest on quotations, verified and numbered
findings            what was found for each part of a question
related             articles related to an article
excerpts            the runs of an answer that rest on the same quotations, with their place
suggesting          questions to ask next
conversations       questions with their history; answers are kept
journal/            answers, feedback and views, as they are kept
insights/           what the journal tells the keepers of the knowledge base
evaluation/         judged questions through the code that answers users
catalogue           the listing of articles, searched
corpus              the Protocols of an index: `Corpus`, `CorpusStore`
filters             tags as they were typed to tags as they are stored
audiences           who may see an answer that was given before
embedding_deadline  questions embedded within a deadline, or not at all
per_corpus_cache  what is derived from a snapshot, kept until the next one
links               the addresses of pages
observing           who is told of stages and outcomes
stopwatch           milliseconds by stage
composition         everything that answers over one index, put together
commands            `footnote ask`, `footnote search`
types               Question, Passage, Citation, Answer
errors              what `qa` raises
"""
