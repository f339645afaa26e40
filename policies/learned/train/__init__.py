"""How the core model is made: simulated calls, the training recipe and its evaluation. Needs the extra ``learn``."""
