"""Piper as a voice in a program of its own (GPL, never imported): `voice.PiperVoice` is the door."""
