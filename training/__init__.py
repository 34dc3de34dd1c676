"""Training the adapter of the bundled model and the weights of the reader: outside what is installed and served.

data        the questions, and the passages they were written for, by reference
examples    passages and questions as they are trained on; which are held out
encoder     the model with its three granularities from one forward pass
batches     whole documents with their questions, so that siblings are told apart
fitting     the training loop: resumes, draws its curve
packing     the change of the weights as a low-rank delta
measuring   ranking, choice within an article, choice of the span, refusal
reader      the candidates the product finds for held-out questions, and the weights that order them
"""
