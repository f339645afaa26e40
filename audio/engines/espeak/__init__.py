"""espeak-ng as a voice in a program of its own: `voice.EspeakVoice` is the door, `helper.py` the program (GPL)."""
