"""The embedding model: text to vectors.

finding                where the model lies, and its id
adapter                small changes to its weights, from a file
embedding              runs the exported model (ONNX Runtime)
exporting              has a model exported, once, in a process of its own
onnx_export            exports and quantises it, and checks it against the reference
export_folder          an exported model on disk, and whether it is whole
span_means             token states to the vectors of spans
word_list              how words are spelt, for typing errors
sentence_transformers  the reference, for a model that cannot be exported
"""
