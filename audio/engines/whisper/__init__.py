"""Whisper (faster-whisper) as a streaming recogniser in worker processes: `pool.WhisperPool` is the door.

Kept empty of imports: faster-whisper is an extra, and only the worker process imports it.
"""
