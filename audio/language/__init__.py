"""What a recogniser may hear: word sequences as a language model, words as phones.

`audio.language.ngram` and `audio.language.pronunciation` are arithmetic on text; `audio.language.dictionary` reads the
pronouncing dictionary that ships with the recogniser; `audio.language.files` keeps the two results on disk.
"""
