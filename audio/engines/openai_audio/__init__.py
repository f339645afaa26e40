"""Voices and recognisers behind a server that speaks the OpenAI audio protocol: `voice.OpenAIVoice` and
`recogniser.OpenAIRecogniser` are the doors.

Kept empty of imports: the official client is an extra, and `openai_server` imports it.
"""
