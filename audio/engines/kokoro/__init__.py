"""Kokoro as a voice in a process of its own: `voice.KokoroVoice` is the door, `worker.py` the program (GPL)."""
