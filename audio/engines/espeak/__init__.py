"""espeak-ng as a voice in a program of its own: `voice.EspeakVoice` is the door, `program.py` the program (GPL)."""
