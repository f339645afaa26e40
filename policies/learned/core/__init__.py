"""The embedded core model at run time: tokenizer, forward pass and turn grammar, numpy only."""
